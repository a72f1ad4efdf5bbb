# SPDX-License-Identifier: GPL-3.0-or-later
"""The clients of the knowledge graph on the test's own database."""

from collections.abc import Iterator

import pytest
from pydantic import SecretStr

from investigator.graph.client import GraphClient
from investigator.graph.database import Database, DatabaseAddress, DatabasePolicy
from investigator.resilience.breaker_group import BreakerGroup
from investigator.resilience.quick_retries import CallPolicy
from sandbox.postgres import Database as SandboxDatabase


def address(database: SandboxDatabase) -> DatabaseAddress:
    """Return the address of the sandbox's database."""
    environment = database.environment()
    return DatabaseAddress(
        host=environment["KNOWLEDGE_GRAPH_HOST"],
        port=int(environment["KNOWLEDGE_GRAPH_PORT"]),
        user=environment["KNOWLEDGE_GRAPH_USER"],
        password=SecretStr(environment["KNOWLEDGE_GRAPH_PASSWORD"]),
        database=environment["KNOWLEDGE_GRAPH_DATABASE"],
        ssl_mode="disable",
    )


@pytest.fixture
def breaker() -> BreakerGroup:
    """A group without any outage."""
    return BreakerGroup("graph")


@pytest.fixture
def client(database: SandboxDatabase) -> Iterator[Database]:
    """The worker's client of the test's own database."""
    client = Database(address(database), DatabasePolicy(connections=5, statement_timeout=0.5))
    yield client
    if client.is_connected():
        client.disconnect()


@pytest.fixture
def graph(client: Database, breaker: BreakerGroup) -> Iterator[GraphClient]:
    """The client that handlers use."""
    graph = GraphClient(client, CallPolicy(threads=5, retry_budget=2.0), breaker)
    yield graph
    graph.close()
