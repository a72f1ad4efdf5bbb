# SPDX-License-Identifier: GPL-3.0-or-later
"""The digest of a request is the same for two messages that ask for the same."""

import pytest

from investigator.argo.digests import parameters_digest
from investigator.argo.ids import workflow_id
from investigator.delivery.origin import Origin

FIRST, SECOND = (Origin("test.thoth.build-analysis-trigger", 0, offset, 0) for offset in range(2))
ARGUMENTS: dict[str, object] = {"base_image": "ubi8", "debug": False, "origin": None, "items": [{"a": 1}]}


def _with_derived_id(message: Origin) -> dict[str, object]:
    name = "base_image_analysis_id"
    return {**ARGUMENTS, name: workflow_id("package-extract", message, name)}


def test_ids_that_are_derived_from_the_messages_do_not_differ() -> None:
    """Each message has its own, which no producer chose."""
    assert parameters_digest(_with_derived_id(FIRST), FIRST) == parameters_digest(_with_derived_id(SECOND), SECOND)


def test_passwords_and_the_order_of_arguments_do_not_differ() -> None:
    """A digest of a password would allow to guess it."""
    changed = dict(reversed({**ARGUMENTS, "base_registry_password": "other"}.items()))
    assert parameters_digest(changed, FIRST) == parameters_digest(ARGUMENTS, SECOND)


@pytest.mark.parametrize(
    "changes",
    [{"base_image": "ubi9"}, {"debug": True}, {"origin": ""}, {"items": [{"a": 2}]}, {"analysis_id": "x-1-2"}],
)
def test_every_other_argument_differs(changes: dict[str, object]) -> None:
    """Ids that the producer chose, too."""
    assert parameters_digest({**ARGUMENTS, **changes}, FIRST) != parameters_digest(ARGUMENTS, FIRST)
