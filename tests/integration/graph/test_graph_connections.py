# SPDX-License-Identifier: GPL-3.0-or-later
"""Connections to the knowledge graph: the pool, restarts and outages of the server, locks, addresses."""

import asyncio
from contextlib import closing

import pytest
from pydantic import SecretStr
from sqlalchemy.exc import DBAPIError

from investigator.delivery.errors import TemporaryError, UnavailableError
from investigator.graph.client import GraphClient
from investigator.graph.database import Database, DatabaseAddress
from investigator.resilience.breaker_group import BreakerGroup
from investigator.resilience.quick_retries import CallPolicy
from sandbox.graph_seed import PYPI, GraphSeed
from sandbox.postgres import Database as SandboxDatabase
from sandbox.postgres import PostgresServer


async def test_all_connections_return_to_the_pool(graph: GraphClient, graph_seed: GraphSeed, client: Database) -> None:
    """After any number of calls."""
    graph_seed.solved("flask", "2.0.1", PYPI, "solver-rhel-8-py38")
    await asyncio.gather(*(graph.si_aggregated("flask", "2.0.1", PYPI) for _ in range(50)))
    await asyncio.gather(*(graph.flag_version_missing("flask", "2.0.1", PYPI) for _ in range(20)))
    assert client._engine.pool.checkedout() == 0


async def test_a_restart_of_the_server_causes_no_error(
    client: Database, graph_seed: GraphSeed, breaker: BreakerGroup, postgres: PostgresServer
) -> None:
    """The pool replaces closed connections before their use: no retry is needed."""
    graph_seed.index(PYPI)
    with closing(GraphClient(client, CallPolicy(threads=5, retry_budget=2.0, max_attempts=1), breaker)) as graph:
        await asyncio.gather(*(graph.enabled_index_urls() for _ in range(5)))
        postgres.stop()
        postgres.start()
        assert await asyncio.gather(*(graph.enabled_index_urls() for _ in range(5))) == [[PYPI]] * 5


async def test_calls_wait_until_an_outage_is_over(
    graph: GraphClient, graph_seed: GraphSeed, breaker: BreakerGroup, postgres: PostgresServer
) -> None:
    """The breaker holds them back."""
    graph_seed.index(PYPI)
    postgres.stop()
    try:
        calls = [asyncio.create_task(graph.enabled_index_urls()) for _ in range(20)]
        await asyncio.sleep(0.5)
        assert breaker.view.is_open
    finally:
        postgres.start()
    assert await asyncio.gather(*calls) == [[PYPI]] * 20


async def test_a_locked_table_is_a_temporary_error_and_no_outage(
    graph: GraphClient, graph_seed: GraphSeed, database: SandboxDatabase, breaker: BreakerGroup
) -> None:
    """The server cancels a statement that waits too long; the event loop is not blocked meanwhile."""
    graph_seed.index(PYPI)
    with database.transaction() as cursor:
        cursor.execute("LOCK TABLE python_package_index IN ACCESS EXCLUSIVE MODE")
        call = asyncio.create_task(graph.enabled_index_urls())
        await asyncio.sleep(0.01)
        assert not call.done()  # a statement in the event loop would have ended before the sleep
        with pytest.raises(TemporaryError, match="statement timeout") as caught:
            await call
    assert not isinstance(caught.value, UnavailableError)
    assert not breaker.view.is_open


def test_an_error_of_a_statement_shows_no_parameters(client: Database) -> None:
    """They come from messages, and the text of the error goes into logs and dead letters."""
    with pytest.raises(DBAPIError) as caught:
        client._engine.execute("SELECT 1 / (SELECT 0), %s", "open-sesame")
    assert "open-sesame" not in str(caught.value)


def test_an_address_may_have_any_password_and_a_socket() -> None:
    """Special characters of URLs are allowed in a password; a host that is a folder contains a socket."""
    url = DatabaseAddress(password=SecretStr("p@ss/w:rd?#%"), user="me@here").url()
    assert (url.password, url.username, url.host) == ("p@ss/w:rd?#%", "me@here", "localhost")
    connect = DatabaseAddress(host="/run/postgresql").url().translate_connect_args()
    assert "host" not in connect
    assert DatabaseAddress(host="/run/postgresql", ssl_mode="disable").url().query == {
        "host": "/run/postgresql",
        "sslmode": "disable",
    }
