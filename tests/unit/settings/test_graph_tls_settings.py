# SPDX-License-Identifier: GPL-3.0-or-later
import pytest

from tests.unit.settings.loading import load, problems


@pytest.mark.parametrize(
    ("variables", "named"),
    [
        ({"KNOWLEDGE_GRAPH_SSL_DISABLED": "1", "KNOWLEDGE_GRAPH_SSL_MODE": "verify-full"}, "SSL_DISABLED"),
        ({"KNOWLEDGE_GRAPH_SSL_MODE": "Verify-CA"}, "SSL_CA_LOCATION"),
    ],
)
def test_settings_of_tls_that_contradict_each_other_are_refused(variables: dict[str, str], named: str) -> None:
    """Both are named; the worker does not guess which one is meant."""
    (problem,) = problems(**variables)
    assert named in problem
    assert "KNOWLEDGE_GRAPH_SSL_MODE" in problem


@pytest.mark.parametrize(
    ("variables", "mode"),
    [
        ({}, "verify-full"),
        ({"KNOWLEDGE_GRAPH_SSL_DISABLED": "0"}, "verify-full"),
        ({"KNOWLEDGE_GRAPH_SSL_DISABLED": "1"}, "disable"),
        ({"KNOWLEDGE_GRAPH_SSL_DISABLED": "1", "KNOWLEDGE_GRAPH_SSL_MODE": "disable"}, "disable"),
        ({"KNOWLEDGE_GRAPH_SSL_MODE": "REQUIRE"}, "require"),
    ],
)
def test_the_graph_is_verified_unless_switched_off(variables: dict[str, str], mode: str) -> None:
    """A password never goes to an unknown server by default."""
    assert load(**variables).graph_ssl_mode == mode
