# SPDX-License-Identifier: GPL-3.0-or-later
"""The knowledge graph on a real PostgreSQL with the real schema."""

import asyncio
import gc
import logging
import time
from collections.abc import Callable, Iterator

import pytest
from pydantic import SecretStr

from investigator.delivery.errors import PermanentError, TemporaryError, UnavailableError
from investigator.graph.client import GraphClient
from investigator.graph.database import Database, DatabaseAddress, DatabasePolicy
from investigator.resilience.breaker import Breaker
from investigator.resilience.calls import CallPolicy
from sandbox.graph_seed import PYPI, GraphSeed, PackageFlags
from sandbox.postgres import Database as SandboxDatabase
from sandbox.postgres import PostgresServer

AICOE = "https://tensorflow.pypi.thoth-station.ninja/index/manylinux2010/AVX2/simple"
SOLVER = "solver-rhel-8-py38"
OTHER_SOLVER = "solver-fedora-34-py39"


def address(database: SandboxDatabase) -> DatabaseAddress:
    """Tell where the sandbox's database is."""
    environment = database.environment()
    return DatabaseAddress(
        host=environment["KNOWLEDGE_GRAPH_HOST"],
        port=int(environment["KNOWLEDGE_GRAPH_PORT"]),
        user=environment["KNOWLEDGE_GRAPH_USER"],
        password=SecretStr(environment["KNOWLEDGE_GRAPH_PASSWORD"]),
        database=environment["KNOWLEDGE_GRAPH_DATABASE"],
        ssl_disabled=True,
    )


@pytest.fixture
def breaker() -> Breaker:
    """A closed breaker."""
    return Breaker("graph")


@pytest.fixture
def client(database: SandboxDatabase) -> Iterator[Database]:
    """The worker's client of the test's own database."""
    client = Database(address(database), DatabasePolicy(connections=5, statement_timeout=0.5))
    yield client
    if client.is_connected():
        client.disconnect()


@pytest.fixture
def graph(client: Database, breaker: Breaker) -> Iterator[GraphClient]:
    """The graph as handlers see it."""
    graph = GraphClient(client, CallPolicy(threads=5, retry_budget=2.0), breaker)
    yield graph
    graph.close()


async def test_indexes_are_known_and_enabled(graph: GraphClient, graph_seed: GraphSeed) -> None:
    """An index may be registered without being one that packages are taken from."""
    graph_seed.index(PYPI)
    graph_seed.index(AICOE, enabled=False)
    assert sorted(await graph.registered_index_urls()) == sorted([PYPI, AICOE])
    assert await graph.enabled_index_urls() == [PYPI]


async def test_what_is_solved_depends_on_index_and_solver(graph: GraphClient, graph_seed: GraphSeed) -> None:
    """A version that one solver solved on one index is unsolved everywhere else."""
    graph_seed.solved("flask", "2.0.1", PYPI, SOLVER)
    graph_seed.index(AICOE)
    assert await graph.package_version_exists("flask", "2.0.1", PYPI)
    assert not await graph.package_version_exists("flask", "2.0.2", PYPI)
    assert not await graph.package_version_exists("flask", "2.0.1", AICOE)
    assert await graph.is_solved("flask", "2.0.1", PYPI, SOLVER)
    assert not await graph.is_solved("flask", "2.0.1", PYPI, OTHER_SOLVER)


async def test_names_and_versions_are_looked_up_in_their_normal_form(graph: GraphClient, graph_seed: GraphSeed) -> None:
    """Messages may spell a package as its author does."""
    graph_seed.solved("ruamel-yaml", "1.0rc1", PYPI, SOLVER)
    assert await graph.package_version_exists("Ruamel.YAML", "1.0-rc.1", PYPI)
    await graph.flag_version_missing("Ruamel.YAML", "1.0-rc.1", PYPI)
    assert graph_seed.flags("ruamel-yaml", "1.0rc1", PYPI) == {PackageFlags(True, True)}  # noqa: FBT003 - its columns


async def test_a_solver_name_of_another_form_is_wrong_for_good(graph: GraphClient) -> None:
    """thoth-common's own check of the name reaches the handler as what it is."""
    with pytest.raises(PermanentError, match="mysolver"):
        await graph.is_solved("flask", "2.0.1", PYPI, "mysolver")


async def test_security_indicators_count_for_their_own_index_only(
    graph: GraphClient, graph_seed: GraphSeed, client: Database
) -> None:
    """An analysis of a package on one index says nothing about the package of that name on another one.

    The library's own query says it does, which this test pins down.
    """
    for index in (PYPI, AICOE):
        graph_seed.solved("tensorflow", "2.4.0", index, SOLVER)
    assert not await graph.si_aggregated("tensorflow", "2.4.0", PYPI)
    graph_seed.si_aggregated("tensorflow", "2.4.0", PYPI)
    assert await graph.si_aggregated("TensorFlow", "2.4.0", PYPI)
    assert not await graph.si_aggregated("tensorflow", "2.4.0", AICOE)
    assert client.si_aggregated_python_package_version_exists("tensorflow", "2.4.0", AICOE)
    gc.collect()  # the connection that it leaves open


async def test_every_known_version_of_a_package_is_flagged_missing(graph: GraphClient, graph_seed: GraphSeed) -> None:
    """In all environments, on that index only, and however many versions there are."""
    versions = [f"1.{number}" for number in range(101)]  # one more than the library gives by default
    for version in versions:
        graph_seed.solved("flask", version, PYPI, SOLVER)
    graph_seed.solved("flask", "1.0", PYPI, OTHER_SOLVER)
    graph_seed.solved("flask", "1.0", AICOE, SOLVER)
    await graph.flag_package_missing("flask", PYPI)
    missing = {flags.is_missing for version in versions for flags in graph_seed.flags("flask", version, PYPI)}
    assert missing == {True}
    assert {flags.is_missing for flags in graph_seed.flags("flask", "1.0", AICOE)} == {False}


async def test_the_source_distribution_flag_goes_both_ways(graph: GraphClient, graph_seed: GraphSeed) -> None:
    """A source distribution may vanish and come back."""
    graph_seed.solved("flask", "2.0.1", PYPI, SOLVER)
    for value in (False, True):
        await graph.set_provides_source_distro("Flask", "2.0.1", PYPI, value)
        assert {flags.provides_source_distro for flags in graph_seed.flags("flask", "2.0.1", PYPI)} == {value}


async def test_hashes_are_marked_absent_for_that_version_only(graph: GraphClient, graph_seed: GraphSeed) -> None:
    """Other files of the version, and other versions, stay present."""
    for version, digest in (("2.0.1", "a" * 64), ("2.0.1", "b" * 64), ("2.0.1", "c" * 64), ("2.0.2", "d" * 64)):
        graph_seed.artifact("flask", version, PYPI, digest)
    await graph.mark_hashes_absent("Flask", "2.0.1", PYPI, ["a" * 64, "b" * 64, "d" * 64, "e" * 64])
    assert graph_seed.hashes("flask", "2.0.1") == {"a" * 64: False, "b" * 64: False, "c" * 64: True}
    assert graph_seed.hashes("flask", "2.0.2") == {"d" * 64: True}
    await graph.mark_hashes_absent("flask", "2.0.1", PYPI, [])


def test_the_librarys_own_way_to_mark_a_hash_fails(client: Database) -> None:
    """The reason why there is one of ours; when this fails, the library can be used again."""
    with pytest.raises(TypeError, match="present"):
        client.update_python_package_hash_present_flag("flask", "2.0.1", PYPI, "a" * 64)


@pytest.mark.parametrize(
    "flag",
    [
        lambda graph: graph.flag_version_missing("flask", "9", PYPI),
        lambda graph: graph.flag_package_missing("flask", PYPI),
        lambda graph: graph.set_provides_source_distro("flask", "9", PYPI, False),  # noqa: FBT003 - the flag's value
        lambda graph: graph.mark_hashes_absent("flask", "9", PYPI, ["a" * 64]),
    ],
)
async def test_flagging_what_the_graph_does_not_know_is_done_at_once(
    flag: Callable[[GraphClient], "asyncio.Future[None]"], graph: GraphClient, caplog: pytest.LogCaptureFixture
) -> None:
    """There is nothing to flag: no error that would halt a topic, but a line in the log."""
    caplog.set_level(logging.INFO, "investigator")
    await flag(graph)
    assert "flask" in caplog.text


@pytest.mark.parametrize("text", ["\0", "\ud800"])
async def test_text_that_no_database_can_hold_is_wrong_for_good(text: str, graph: GraphClient) -> None:
    """A message with such a name can't be mended by trying again."""
    with pytest.raises(PermanentError):
        await graph.package_version_exists("flask", text, PYPI)


async def test_no_connection_stays_open(graph: GraphClient, graph_seed: GraphSeed, client: Database) -> None:
    """All connections are back in the pool after any number of calls."""
    graph_seed.solved("flask", "2.0.1", PYPI, SOLVER)
    await asyncio.gather(*(graph.si_aggregated("flask", "2.0.1", PYPI) for _ in range(50)))
    await asyncio.gather(*(graph.flag_version_missing("flask", "2.0.1", PYPI) for _ in range(20)))
    assert client._engine.pool.checkedout() == 0


async def test_a_restarted_server_is_not_noticed(
    client: Database, graph_seed: GraphSeed, breaker: Breaker, postgres: PostgresServer
) -> None:
    """Connections that the server dropped are replaced before they are used: not even a retry is needed."""
    graph_seed.index(PYPI)
    graph = GraphClient(client, CallPolicy(threads=5, retry_budget=2.0, max_attempts=1), breaker)
    await asyncio.gather(*(graph.enabled_index_urls() for _ in range(5)))
    postgres.stop()
    postgres.start()
    assert await asyncio.gather(*(graph.enabled_index_urls() for _ in range(5))) == [[PYPI]] * 5
    graph.close()


async def test_an_outage_is_waited_out(
    graph: GraphClient, graph_seed: GraphSeed, breaker: Breaker, postgres: PostgresServer
) -> None:
    """Calls that meet a server that is down wait until it is back."""
    graph_seed.index(PYPI)
    postgres.stop()
    try:
        calls = [asyncio.create_task(graph.enabled_index_urls()) for _ in range(20)]
        await asyncio.sleep(0.5)
        assert breaker.view.is_open
    finally:
        postgres.start()
    assert await asyncio.gather(*calls) == [[PYPI]] * 20


async def test_a_locked_table_is_trouble_and_no_outage(
    graph: GraphClient, graph_seed: GraphSeed, database: SandboxDatabase, breaker: Breaker
) -> None:
    """A statement that waits too long is ended by the server, and the event loop has not waited with it."""
    graph_seed.index(PYPI)
    with database.transaction() as cursor:
        cursor.execute("LOCK TABLE python_package_index IN ACCESS EXCLUSIVE MODE")
        call = asyncio.create_task(graph.enabled_index_urls())
        before = time.monotonic()
        await asyncio.sleep(0.01)
        assert time.monotonic() - before < 0.2
        with pytest.raises(TemporaryError, match="statement timeout") as caught:
            await call
    assert not isinstance(caught.value, UnavailableError)
    assert not breaker.view.is_open


def test_any_password_and_a_socket_can_be_given() -> None:
    """Characters that mean something in a URL mean nothing in a password; a folder is a server's socket."""
    url = DatabaseAddress(password=SecretStr("p@ss/w:rd?#%"), user="me@here").url()
    assert (url.password, url.username, url.host) == ("p@ss/w:rd?#%", "me@here", "localhost")
    connect = DatabaseAddress(host="/run/postgresql").url().translate_connect_args()
    assert "host" not in connect
    assert DatabaseAddress(host="/run/postgresql", ssl_disabled=True).url().query == {
        "host": "/run/postgresql",
        "sslmode": "disable",
    }
