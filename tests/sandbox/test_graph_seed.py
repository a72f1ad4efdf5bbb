# SPDX-License-Identifier: GPL-3.0-or-later
"""Seeded rows, looked at through thoth-storages."""

import gc
from collections.abc import Iterator

import pytest
from thoth.storages.graph.postgres import GraphDatabase

from sandbox.graph_seed import PYPI, GraphSeed, PackageFlags
from sandbox.postgres import Database, PostgresServer

RHEL, FEDORA = "solver-rhel-8-py38", "solver-fedora-34-py39"
HASH = "a" * 64


@pytest.fixture
def graph(database: Database, monkeypatch: pytest.MonkeyPatch) -> Iterator[GraphDatabase]:
    """thoth-storages' adapter, connected to the test's database."""
    for name, value in database.environment().items():
        monkeypatch.setenv(name, value)
    adapter = GraphDatabase()
    adapter.connect()
    yield adapter
    gc.collect()  # a connection that thoth-storages forgot to give back must not outlive the database
    adapter.disconnect()


def test_the_schema_is_the_one_that_thoth_storages_expects(graph: GraphDatabase) -> None:
    """Guarantee: a fresh database has the schema revision of the installed thoth-storages."""
    assert graph.is_schema_up2date()


def test_a_solved_version_is_solved_by_that_solver_only(graph: GraphDatabase, graph_seed: GraphSeed) -> None:
    """Guarantee: the graph knows a seeded version on its index, as solved by its solver and by no other."""
    graph_seed.solved("flask", "2.0.1", PYPI, RHEL)
    assert graph.python_package_version_exists("flask", "2.0.1", PYPI)
    assert graph.python_package_version_exists("flask", "2.0.1", PYPI, solver_name=RHEL)
    assert not graph.python_package_version_exists("flask", "2.0.1", PYPI, solver_name=FEDORA)
    assert not graph.python_package_version_exists("flask", "2.0.1", "https://other.example/simple")
    assert graph_seed.solvers("flask", "2.0.1") == {RHEL}


def test_seeding_twice_changes_nothing(graph: GraphDatabase, graph_seed: GraphSeed) -> None:
    """Guarantee: results stored again, by the same solver or another, do not double a version."""
    for solver in (RHEL, RHEL, FEDORA):
        graph_seed.solved("flask", "2.0.1", PYPI, solver)
    assert graph.get_python_package_versions_all(distinct=True) == [("flask", "2.0.1", PYPI)]
    assert graph_seed.solvers("flask", "2.0.1") == {RHEL, FEDORA}


def test_indexes_are_enabled_or_not(graph: GraphDatabase, graph_seed: GraphSeed) -> None:
    """Guarantee: registered indexes can be told apart by whether they are enabled."""
    graph_seed.index(PYPI)
    graph_seed.index("https://other.example/simple", enabled=False)
    assert graph.get_python_package_index_urls_all(enabled=True) == [PYPI]
    assert len(graph.get_python_package_index_urls_all()) == 2


def test_an_aggregated_security_analysis_is_seen(graph: GraphDatabase, graph_seed: GraphSeed) -> None:
    """Guarantee: a seeded security analysis is what si_aggregated_python_package_version_exists looks for."""
    graph_seed.solved("flask", "2.0.1", PYPI, RHEL)
    assert not graph.si_aggregated_python_package_version_exists("flask", "2.0.1", PYPI)
    graph_seed.si_aggregated("flask", "2.0.1", PYPI)
    assert graph.si_aggregated_python_package_version_exists("flask", "2.0.1", PYPI)
    assert not graph.si_aggregated_python_package_version_exists("flask", "2.0.2", PYPI)


def test_an_analysis_needs_a_solved_version(graph_seed: GraphSeed) -> None:
    """Guarantee: a security analysis of a version that no solver has seen is refused, as thoth-storages refuses it."""
    with pytest.raises(LookupError, match=r"flask 2\.0\.1"):
        graph_seed.si_aggregated("flask", "2.0.1", PYPI)


def test_flags_set_by_thoth_storages_are_read(graph: GraphDatabase, graph_seed: GraphSeed) -> None:
    """Guarantee: the seed's reader shows the flags that investigator sets, for all environments of the version."""
    graph_seed.solved("flask", "2.0.1", PYPI, RHEL)
    graph_seed.solved("flask", "2.0.1", PYPI, FEDORA)
    graph.update_missing_flag_package_version("flask", "2.0.1", PYPI, value=True)
    graph.update_provides_source_distro_package_version("flask", "2.0.1", PYPI, value=False)
    assert graph_seed.flags("flask", "2.0.1") == {PackageFlags(is_missing=True, provides_source_distro=False)}
    assert graph_seed.flags("flask", "9.9") == set()


def test_hashes_are_seen(graph: GraphDatabase, graph_seed: GraphSeed) -> None:
    """Guarantee: a seeded hash belongs to its version for thoth-storages too, and is present."""
    graph_seed.artifact("flask", "2.0.1", PYPI, HASH)
    assert graph.get_python_package_hashes_sha256("flask", "2.0.1", PYPI) == [HASH]
    assert graph_seed.hashes("flask", "2.0.1") == {HASH: True}


def test_data_outlive_a_restart_of_the_server(postgres: PostgresServer, graph_seed: GraphSeed) -> None:
    """Guarantee: stopping, killing and starting the server keeps its port and its rows."""
    graph_seed.solved("flask", "2.0.1", PYPI, RHEL)
    for end in (postgres.stop, postgres.kill):
        end()
        postgres.start()
        assert graph_seed.solvers("flask", "2.0.1") == {RHEL}
