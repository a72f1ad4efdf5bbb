# SPDX-License-Identifier: GPL-3.0-or-later
"""The connection to the knowledge graph is verified, or the worker does not start."""

from pathlib import Path

import pytest

from sandbox.tcp_ports import HOST
from tests.integration.preflight.surroundings import Surroundings
from tests.support.certificates import LOCAL, OTHER_HOST, Authority
from tests.support.postgres_tls import TLS_REQUEST, postgres_tls


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    """The authority that the worker trusts."""
    return Authority(tmp_path, "graph-ca")


@pytest.fixture
def verifying(surroundings: Surroundings) -> Surroundings:
    """A worker with the default mode."""
    del surroundings.variables["KNOWLEDGE_GRAPH_SSL_DISABLED"]
    return surroundings


def _port(surroundings: Surroundings) -> int:
    return int(surroundings.variables["KNOWLEDGE_GRAPH_PORT"])


@pytest.mark.parametrize("mode", [{}, {"KNOWLEDGE_GRAPH_SSL_MODE": "VERIFY-CA"}])
async def test_a_server_with_a_trusted_certificate_is_used(
    verifying: Surroundings, authority: Authority, mode: dict[str, str]
) -> None:
    """The checks find the schema over TLS."""
    with postgres_tls(_port(verifying), authority.sign("graph", LOCAL)) as server:
        verifying.variables |= {"KNOWLEDGE_GRAPH_PORT": str(server.server_address[1]), **mode}
        verifying.variables["KNOWLEDGE_GRAPH_SSL_CA_LOCATION"] = str(authority.certificate)
        await verifying.check()


async def test_a_certificate_of_an_unknown_authority_is_refused(verifying: Surroundings, authority: Authority) -> None:
    """Without a CA setting, the worker trusts the authorities of the system."""
    with postgres_tls(_port(verifying), authority.sign("graph", LOCAL)) as server:
        verifying.variables["KNOWLEDGE_GRAPH_PORT"] = str(server.server_address[1])
        problem = await verifying.problem()
    assert "certificate verify failed" in problem
    assert "KNOWLEDGE_GRAPH_SSL_CA_LOCATION" in problem


@pytest.mark.parametrize(("host", "expired"), [(OTHER_HOST, False), (LOCAL, True)])
async def test_a_certificate_of_another_host_or_of_yesterday_is_refused(
    verifying: Surroundings, authority: Authority, host: object, *, expired: bool
) -> None:
    """Its authority is trusted."""
    with postgres_tls(_port(verifying), authority.sign("graph", host, expired=expired)) as server:  # type: ignore[arg-type]  # a name
        verifying.variables["KNOWLEDGE_GRAPH_PORT"] = str(server.server_address[1])
        verifying.variables["KNOWLEDGE_GRAPH_SSL_CA_LOCATION"] = str(authority.certificate)
        problem = await verifying.problem()
    assert "certificate" in problem
    assert "KNOWLEDGE_GRAPH_SSL_CA_LOCATION" in problem


async def test_a_server_without_tls_is_refused_and_the_setting_named(verifying: Surroundings) -> None:
    """PostgreSQL itself says that it has none."""
    problem = await verifying.problem()
    assert "does not support SSL" in problem
    assert "KNOWLEDGE_GRAPH_SSL_MODE" in problem


@pytest.mark.parametrize("mode", ["require", "verify-full"])
async def test_a_server_that_refuses_tls_receives_neither_user_nor_password(verifying: Surroundings, mode: str) -> None:
    """The client sends nothing but its request for TLS."""
    with postgres_tls(0, None) as server:
        verifying.variables |= {
            "KNOWLEDGE_GRAPH_HOST": HOST,
            "KNOWLEDGE_GRAPH_PORT": str(server.server_address[1]),
            "KNOWLEDGE_GRAPH_SSL_MODE": mode,
        }
        await verifying.problem()
    assert bytes(server.received) in (TLS_REQUEST, TLS_REQUEST * 2)


@pytest.mark.parametrize("variables", [{"KNOWLEDGE_GRAPH_SSL_DISABLED": "1"}, {"KNOWLEDGE_GRAPH_SSL_MODE": "disable"}])
async def test_tls_can_be_switched_off(verifying: Surroundings, variables: dict[str, str]) -> None:
    """For servers without it."""
    verifying.variables |= variables
    await verifying.check()
