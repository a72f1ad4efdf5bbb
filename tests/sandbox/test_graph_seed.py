# SPDX-License-Identifier: GPL-3.0-or-later
"""Rows that GraphSeed stores, as thoth-storages reads them."""

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
    """thoth-storages' client, connected to the test's database."""
    for name, value in database.environment().items():
        monkeypatch.setenv(name, value)
    adapter = GraphDatabase()
    adapter.connect()
    yield adapter
    gc.collect()  # closes connections that thoth-storages has leaked, before the database is dropped
    adapter.disconnect()


def test_a_new_database_has_the_schema_of_thoth_storages(graph: GraphDatabase) -> None:
    """The revision is that of the installed version."""
    assert graph.is_schema_up2date()


def test_a_seeded_version_is_solved_only_by_its_solver(graph: GraphDatabase, graph_seed: GraphSeed) -> None:
    """The version exists only on its own index."""
    graph_seed.solved("flask", "2.0.1", PYPI, RHEL)
    assert graph.python_package_version_exists("flask", "2.0.1", PYPI)
    assert graph.python_package_version_exists("flask", "2.0.1", PYPI, solver_name=RHEL)
    assert not graph.python_package_version_exists("flask", "2.0.1", PYPI, solver_name=FEDORA)
    assert not graph.python_package_version_exists("flask", "2.0.1", "https://other.example/simple")
    assert graph_seed.solvers("flask", "2.0.1") == {RHEL}


def test_repeated_results_do_not_duplicate_a_version(graph: GraphDatabase, graph_seed: GraphSeed) -> None:
    """That holds for the same solver and for another one."""
    for solver in (RHEL, RHEL, FEDORA):
        graph_seed.solved("flask", "2.0.1", PYPI, solver)
    assert graph.get_python_package_versions_all(distinct=True) == [("flask", "2.0.1", PYPI)]
    assert graph_seed.solvers("flask", "2.0.1") == {RHEL, FEDORA}


def test_a_disabled_index_is_registered_but_not_enabled(graph: GraphDatabase, graph_seed: GraphSeed) -> None:
    """Queries for enabled indexes omit it; queries for all indexes do not."""
    graph_seed.index(PYPI)
    graph_seed.index("https://other.example/simple", enabled=False)
    assert graph.get_python_package_index_urls_all(enabled=True) == [PYPI]
    assert len(graph.get_python_package_index_urls_all()) == 2


def test_thoth_storages_finds_a_seeded_security_analysis(graph: GraphDatabase, graph_seed: GraphSeed) -> None:
    """The query is si_aggregated_python_package_version_exists; other versions are not affected."""
    graph_seed.solved("flask", "2.0.1", PYPI, RHEL)
    assert not graph.si_aggregated_python_package_version_exists("flask", "2.0.1", PYPI)
    graph_seed.si_aggregated("flask", "2.0.1", PYPI)
    assert graph.si_aggregated_python_package_version_exists("flask", "2.0.1", PYPI)
    assert not graph.si_aggregated_python_package_version_exists("flask", "2.0.2", PYPI)


def test_a_security_analysis_of_an_unsolved_version_is_refused(graph_seed: GraphSeed) -> None:
    """thoth-storages refuses it too."""
    with pytest.raises(LookupError, match=r"flask 2\.0\.1"):
        graph_seed.si_aggregated("flask", "2.0.1", PYPI)


def test_flags_that_thoth_storages_sets_are_readable(graph: GraphDatabase, graph_seed: GraphSeed) -> None:
    """The flags agree in all environments of the version; an unknown version has none."""
    graph_seed.solved("flask", "2.0.1", PYPI, RHEL)
    graph_seed.solved("flask", "2.0.1", PYPI, FEDORA)
    graph.update_missing_flag_package_version("flask", "2.0.1", PYPI, value=True)
    graph.update_provides_source_distro_package_version("flask", "2.0.1", PYPI, value=False)
    assert graph_seed.flags("flask", "2.0.1") == {PackageFlags(is_missing=True, provides_source_distro=False)}
    assert graph_seed.flags("flask", "9.9") == set()


def test_thoth_storages_finds_a_seeded_hash(graph: GraphDatabase, graph_seed: GraphSeed) -> None:
    """The hash belongs to its version and is marked as present."""
    graph_seed.artifact("flask", "2.0.1", PYPI, HASH)
    assert graph.get_python_package_hashes_sha256("flask", "2.0.1", PYPI) == [HASH]
    assert graph_seed.hashes("flask", "2.0.1") == {HASH: True}


def test_rows_survive_a_stop_and_a_kill_of_the_server(postgres: PostgresServer, graph_seed: GraphSeed) -> None:
    """After each restart the server has the same port."""
    graph_seed.solved("flask", "2.0.1", PYPI, RHEL)
    for interrupt in (postgres.stop, postgres.kill):
        interrupt()
        postgres.start()
        assert graph_seed.solvers("flask", "2.0.1") == {RHEL}
