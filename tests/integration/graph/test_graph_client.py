# SPDX-License-Identifier: GPL-3.0-or-later
"""The knowledge graph on a real PostgreSQL with the real schema."""

import asyncio
import gc
import logging
import time
from collections.abc import Callable, Iterator
from contextlib import closing

import pytest
from pydantic import SecretStr

from investigator.delivery.errors import PermanentError, TemporaryError, UnavailableError
from investigator.graph.client import GraphClient
from investigator.graph.database import Database, DatabaseAddress, DatabasePolicy
from investigator.resilience.breaker_group import BreakerGroup
from investigator.resilience.calls import CallPolicy
from sandbox.graph_seed import PYPI, GraphSeed, PackageFlags
from sandbox.postgres import Database as SandboxDatabase
from sandbox.postgres import PostgresServer

AICOE = "https://tensorflow.pypi.thoth-station.ninja/index/manylinux2010/AVX2/simple"
SOLVER = "solver-rhel-8-py38"
OTHER_SOLVER = "solver-fedora-34-py39"


def address(database: SandboxDatabase) -> DatabaseAddress:
    """Return the address of the sandbox's database."""
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


async def test_registered_indexes_include_disabled_ones(graph: GraphClient, graph_seed: GraphSeed) -> None:
    """Enabled indexes do not."""
    graph_seed.index(PYPI)
    graph_seed.index(AICOE, enabled=False)
    assert sorted(await graph.registered_index_urls()) == sorted([PYPI, AICOE])
    assert await graph.enabled_index_urls() == [PYPI]


async def test_a_version_is_solved_per_index_and_solver(graph: GraphClient, graph_seed: GraphSeed) -> None:
    """The result of one solver on one index counts for no other."""
    graph_seed.solved("flask", "2.0.1", PYPI, SOLVER)
    graph_seed.index(AICOE)
    assert await graph.package_version_exists("flask", "2.0.1", PYPI)
    assert not await graph.package_version_exists("flask", "2.0.2", PYPI)
    assert not await graph.package_version_exists("flask", "2.0.1", AICOE)
    assert await graph.is_solved("flask", "2.0.1", PYPI, SOLVER)
    assert not await graph.is_solved("flask", "2.0.1", PYPI, OTHER_SOLVER)


async def test_names_and_versions_are_normalized(graph: GraphClient, graph_seed: GraphSeed) -> None:
    """Messages may spell a package like its author."""
    graph_seed.solved("ruamel-yaml", "1.0rc1", PYPI, SOLVER)
    assert await graph.package_version_exists("Ruamel.YAML", "1.0-rc.1", PYPI)
    await graph.flag_version_missing("Ruamel.YAML", "1.0-rc.1", PYPI)
    assert graph_seed.flags("ruamel-yaml", "1.0rc1", PYPI) == {PackageFlags(True, True)}  # noqa: FBT003 - its columns


async def test_an_invalid_solver_name_is_a_permanent_error(graph: GraphClient) -> None:
    """The check of thoth-common reaches the handler."""
    with pytest.raises(PermanentError, match="mysolver"):
        await graph.is_solved("flask", "2.0.1", PYPI, "mysolver")


@pytest.mark.parametrize("registered", [PYPI, f"{PYPI}/"])
@pytest.mark.parametrize(
    "spelling", [PYPI, f"{PYPI}/", "https://PyPI.org:443/simple", "http://pypi.python.org/simple/"]
)
async def test_every_spelling_of_an_index_reaches_its_package_versions(
    graph: GraphClient, graph_seed: GraphSeed, registered: str, spelling: str
) -> None:
    """Thoth registers some indexes with a slash at the end; the queries of the library compare texts."""
    graph_seed.solved("flask", "2.0.1", registered, SOLVER)
    assert await graph.registered_spelling(spelling) == registered
    assert await graph.package_version_exists("flask", "2.0.1", spelling)
    assert await graph.is_solved("flask", "2.0.1", spelling, SOLVER)
    await graph.flag_version_missing("flask", "2.0.1", spelling)
    assert {flags.is_missing for flags in graph_seed.flags("flask", "2.0.1", registered)} == {True}


async def test_the_spelling_of_an_index_is_looked_up_once(
    graph: GraphClient, client: Database, graph_seed: GraphSeed, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Messages that only need the spelling do not wait while the graph is unavailable. A new index is found at once."""
    assert await graph.registered_spelling(PYPI) == PYPI
    graph_seed.index(f"{PYPI}/")
    assert await graph.registered_spelling(PYPI) == f"{PYPI}/"
    monkeypatch.delattr(client, "_engine")
    assert await graph.registered_spelling(f"{PYPI}//") == f"{PYPI}/"


async def test_security_indicators_count_for_their_own_index_only(
    graph: GraphClient, graph_seed: GraphSeed, client: Database
) -> None:
    """The library's own query ignores the index, which this test proves."""
    for index in (PYPI, AICOE):
        graph_seed.solved("tensorflow", "2.4.0", index, SOLVER)
    assert not await graph.si_aggregated("tensorflow", "2.4.0", PYPI)
    graph_seed.si_aggregated("tensorflow", "2.4.0", PYPI)
    assert await graph.si_aggregated("TensorFlow", "2.4.0", PYPI)
    assert not await graph.si_aggregated("tensorflow", "2.4.0", AICOE)
    assert client.si_aggregated_python_package_version_exists("tensorflow", "2.4.0", AICOE)
    gc.collect()  # closes the connection that the library's query leaves open


async def test_every_known_version_of_a_package_is_flagged_missing(graph: GraphClient, graph_seed: GraphSeed) -> None:
    """In all environments, on that index only, for any number of versions."""
    versions = [f"1.{number}" for number in range(101)]  # one more than the library returns by default
    for version in versions:
        graph_seed.solved("flask", version, PYPI, SOLVER)
    graph_seed.solved("flask", "1.0", PYPI, OTHER_SOLVER)
    graph_seed.solved("flask", "1.0", AICOE, SOLVER)
    await graph.flag_package_missing("flask", PYPI)
    missing = {flags.is_missing for version in versions for flags in graph_seed.flags("flask", version, PYPI)}
    assert missing == {True}
    assert {flags.is_missing for flags in graph_seed.flags("flask", "1.0", AICOE)} == {False}


async def test_the_source_distribution_flag_can_be_set_and_cleared(graph: GraphClient, graph_seed: GraphSeed) -> None:
    """A source distribution may disappear and return."""
    graph_seed.solved("flask", "2.0.1", PYPI, SOLVER)
    for value in (False, True):
        await graph.set_provides_source_distro("Flask", "2.0.1", PYPI, value)
        assert {flags.provides_source_distro for flags in graph_seed.flags("flask", "2.0.1", PYPI)} == {value}


async def test_hashes_are_marked_absent_for_that_version_only(graph: GraphClient, graph_seed: GraphSeed) -> None:
    """Other artifacts of the version, and other versions, remain present."""
    for version, digest in (("2.0.1", "a" * 64), ("2.0.1", "b" * 64), ("2.0.1", "c" * 64), ("2.0.2", "d" * 64)):
        graph_seed.artifact("flask", version, PYPI, digest)
    await graph.mark_hashes_absent("Flask", "2.0.1", PYPI, ["a" * 64, "b" * 64, "d" * 64, "e" * 64])
    assert graph_seed.hashes("flask", "2.0.1") == {"a" * 64: False, "b" * 64: False, "c" * 64: True}
    assert graph_seed.hashes("flask", "2.0.2") == {"d" * 64: True}
    await graph.mark_hashes_absent("flask", "2.0.1", PYPI, [])


def test_the_librarys_own_method_to_mark_a_hash_fails(client: Database) -> None:
    """The reason for `mark_artifacts_absent`; when this test fails, use the library's method instead."""
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
async def test_flagging_an_unknown_version_is_no_error(
    flag: Callable[[GraphClient], "asyncio.Future[None]"], graph: GraphClient, caplog: pytest.LogCaptureFixture
) -> None:
    """An error would halt the topic; a log line is enough."""
    caplog.set_level(logging.INFO, "investigator")
    await flag(graph)
    assert "flask" in caplog.text


@pytest.mark.parametrize("text", ["\0", "\ud800"])
async def test_text_that_the_database_cannot_store_is_a_permanent_error(text: str, graph: GraphClient) -> None:
    """Another attempt cannot succeed."""
    with pytest.raises(PermanentError):
        await graph.package_version_exists("flask", text, PYPI)


async def test_all_connections_return_to_the_pool(graph: GraphClient, graph_seed: GraphSeed, client: Database) -> None:
    """After any number of calls."""
    graph_seed.solved("flask", "2.0.1", PYPI, SOLVER)
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
        before = time.monotonic()
        await asyncio.sleep(0.01)
        assert time.monotonic() - before < 0.2
        with pytest.raises(TemporaryError, match="statement timeout") as caught:
            await call
    assert not isinstance(caught.value, UnavailableError)
    assert not breaker.view.is_open


def test_an_address_may_have_any_password_and_a_socket() -> None:
    """Special characters of URLs are allowed in a password; a host that is a folder contains a socket."""
    url = DatabaseAddress(password=SecretStr("p@ss/w:rd?#%"), user="me@here").url()
    assert (url.password, url.username, url.host) == ("p@ss/w:rd?#%", "me@here", "localhost")
    connect = DatabaseAddress(host="/run/postgresql").url().translate_connect_args()
    assert "host" not in connect
    assert DatabaseAddress(host="/run/postgresql", ssl_disabled=True).url().query == {
        "host": "/run/postgresql",
        "sslmode": "disable",
    }
