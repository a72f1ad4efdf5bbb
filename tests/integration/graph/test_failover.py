# SPDX-License-Identifier: GPL-3.0-or-later
"""Failovers of the graph's database, on real PostgreSQL servers."""

import asyncio
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest
from pydantic import SecretStr
from sqlalchemy import exc

from investigator.delivery.errors import PermanentError, TemporaryError, UnavailableError
from investigator.graph.answers import GRAPH_ANSWERS, graph_error, sqlstate
from investigator.graph.client import GraphClient
from investigator.graph.database import Database, DatabaseAddress, DatabasePolicy
from investigator.resilience.answers import Meaning
from investigator.resilience.breaker_group import BreakerGroup
from investigator.resilience.quick_retries import CallPolicy
from sandbox.graph_seed import PYPI, GraphSeed
from sandbox.postgres import PASSWORD, USER, PostgresServer
from sandbox.postgres import Database as SandboxDatabase
from sandbox.recorded import GRAPH, RecordedError
from sandbox.tcp_ports import HOST
from sandbox.tcp_proxy import TcpProxy

SOLVER = "solver-rhel-8-py38"
VERSIONS = [f"1.{number}" for number in range(20)]


@dataclass
class Failover:
    """Two servers with the same packages, and the address, which leads to the old one first."""

    old_server: PostgresServer
    new: SandboxDatabase
    address: TcpProxy

    def move(self) -> None:
        """Let the address lead to the new server; open connections stay."""
        self.address.move(self.new.port)


@pytest.fixture(scope="module")
def old_server() -> Iterator[PostgresServer]:
    """The server that is the primary before the failover."""
    with PostgresServer() as server:
        yield server


@pytest.fixture
def failover(old_server: PostgresServer, postgres: PostgresServer, database: SandboxDatabase) -> Iterator[Failover]:
    """A primary, and a server that takes over."""
    del postgres  # has the new database
    old_server.start()
    old_server.accept_writes()
    old = old_server.graph(database.name)
    for each in (old, database):
        seed = GraphSeed(each)
        for version in VERSIONS:
            seed.solved("flask", version, PYPI, SOLVER)
    with TcpProxy(old.port) as proxy:
        yield Failover(old_server, database, proxy)
    old_server.start()
    old_server.accept_writes()
    old_server.drop(old)


@pytest.fixture
def graph(failover: Failover) -> Iterator[GraphClient]:
    """A client that uses the address."""
    address = DatabaseAddress(
        HOST, failover.address.port, USER, SecretStr(PASSWORD), failover.new.name, ssl_mode="disable"
    )
    database = Database(address, DatabasePolicy(connections=5, connect_timeout=2))
    graph = GraphClient(database, CallPolicy(threads=5, retry_budget=2.0), BreakerGroup("graph"))
    yield graph
    graph.close()


async def fill_pool(graph: GraphClient) -> None:
    """Open all connections of the pool."""
    await asyncio.gather(*(graph.package_version_exists("flask", version, PYPI) for version in VERSIONS))


async def flag_all(graph: GraphClient) -> None:
    """Flag every version; raises an error if one attempt is lost."""
    await asyncio.gather(*(graph.flag_version_missing("flask", version, PYPI) for version in VERSIONS))


def all_flagged(database: SandboxDatabase) -> bool:
    """Return whether every version is flagged in the database."""
    seed = GraphSeed(database)
    return all({flags.is_missing for flags in seed.flags("flask", version)} == {True} for version in VERSIONS)


DEMOTIONS: list[Callable[[PostgresServer], None]] = [
    PostgresServer.refuse_writes,
    PostgresServer.stop,
    PostgresServer.kill,
]


@pytest.mark.parametrize("demote", DEMOTIONS, ids=["read-only", "stopped", "crashed"])
async def test_flags_succeed_within_seconds_of_a_failover(
    failover: Failover, graph: GraphClient, demote: Callable[[PostgresServer], None]
) -> None:
    """Pooled connections to the old primary are dropped, new ones reach the new one, and no attempt is lost."""
    await fill_pool(graph)
    demote(failover.old_server)
    failover.move()
    began = time.monotonic()
    await flag_all(graph)
    assert time.monotonic() - began < 10
    assert all_flagged(failover.new)


@pytest.mark.parametrize("demote", DEMOTIONS, ids=["read-only", "stopped", "crashed"])
async def test_calls_wait_until_a_server_accepts_writes(
    failover: Failover, graph: GraphClient, demote: Callable[[PostgresServer], None]
) -> None:
    """For a while the address leads to a server that refuses writes or connections: that costs no attempt."""
    await fill_pool(graph)
    demote(failover.old_server)
    flags = asyncio.create_task(flag_all(graph))
    await asyncio.sleep(1.5)
    assert not flags.done()
    failover.move()
    await asyncio.wait_for(flags, 15)
    assert all_flagged(failover.new)


async def test_a_demoted_server_is_left_by_reads_too(failover: Failover, graph: GraphClient) -> None:
    """It answers for as long as it runs, but from old data."""
    await fill_pool(graph)
    failover.old_server.refuse_writes()
    failover.move()
    GraphSeed(failover.new).solved("flask", "9.9", PYPI, SOLVER)
    assert await graph.package_version_exists("flask", "9.9", PYPI)


MEANINGS = {row.name: row.meaning for row in GRAPH_ANSWERS}
ERRORS = {
    Meaning.PERMANENT: PermanentError,
    Meaning.TEMPORARY: TemporaryError,
    Meaning.UNAVAILABLE: UnavailableError,
}


@pytest.mark.parametrize("recorded", GRAPH, ids=[recorded.sqlstate for recorded in GRAPH])
def test_each_recorded_error_has_the_meaning_of_its_row(database: SandboxDatabase, recorded: RecordedError) -> None:
    """The server raises the error; driver and library pass its code on."""
    address = DatabaseAddress(HOST, database.port, USER, SecretStr(PASSWORD), database.name, ssl_mode="disable")
    client = Database(address, DatabasePolicy(connections=1))
    raising = f"RAISE EXCEPTION '%', $t${recorded.message}$t$ USING ERRCODE = '{recorded.sqlstate}'"
    try:
        with pytest.raises(exc.DBAPIError) as caught, client._session_scope() as session:
            session.execute(f"DO $$ BEGIN {raising}; END $$".replace(":", "\\:"))
    finally:
        client.disconnect()
    assert sqlstate(caught.value) == recorded.sqlstate
    error = graph_error(caught.value)
    assert type(error) is ERRORS[MEANINGS[recorded.row]]
    assert recorded.message in str(error)
