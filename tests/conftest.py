# SPDX-License-Identifier: GPL-3.0-or-later
"""Fixtures that tests of several packages use: the pieces of the sandbox."""

import tempfile
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from kubernetes.config import kube_config

from sandbox.broker import Broker, broker_of_environment
from sandbox.cluster import ClusterStandIn
from sandbox.environment import Sandbox
from sandbox.graph_seed import GraphSeed
from sandbox.package_index import PackageIndexServer
from sandbox.postgres import Database, PostgresServer
from tests.support.leaks import describe, left_open, open_sockets


@pytest.fixture(autouse=True)
def every_connection_is_closed() -> Iterator[None]:
    """Fail the test that leaves a connection open, instead of the later one in which the collector finds it.

    Fixtures of a session or module are set up before this one, so their connections do not count.
    """
    before = open_sockets()
    yield
    if sockets := left_open(before):
        pytest.fail(f"connections that this test opened and did not close:\n{describe(sockets)}")


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[ClusterStandIn]:
    """An empty cluster stand-in of the test's own; its KUBECONFIG file is `tmp_path / "kubeconfig"`."""
    with ClusterStandIn() as stand_in:
        stand_in.write_kubeconfig(tmp_path / "kubeconfig")
        yield stand_in


@pytest.fixture
def cluster_environment(cluster: ClusterStandIn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """The environment variables by which thoth-common finds the stand-in; they are set in this process."""
    environment = {"KUBECONFIG": str(tmp_path / "kubeconfig"), **cluster.environment("test")}
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    # The Kubernetes client reads KUBECONFIG when it is imported, which may have been long ago.
    monkeypatch.setattr(kube_config, "KUBE_CONFIG_DEFAULT_LOCATION", environment["KUBECONFIG"])
    # The OpenShift client caches what it discovers in the folder for temporary files, by URL.
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return environment


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """The PostgreSQL server of this run of tests; a test that stops it must start it again."""
    with PostgresServer() as server:
        yield server


@pytest.fixture
def database(postgres: PostgresServer) -> Iterator[Database]:
    """A database of the test's own with thoth-storages' schema and no rows."""
    database = postgres.graph()
    yield database
    postgres.drop(database)


@pytest.fixture
def graph_seed(database: Database) -> GraphSeed:
    """Writes rows into the test's database and reads them."""
    return GraphSeed(database)


@pytest.fixture(scope="session")
def broker() -> Iterator[Broker]:
    """The Kafka broker of this run of tests; use topics and groups of your own, see `deployment`."""
    with broker_of_environment() as running:
        yield running


@pytest.fixture
def deployment() -> str:
    """A deployment name that no other test has, so that topics and groups are the test's own."""
    return f"test-{uuid.uuid4().hex[:10]}"


@pytest.fixture
def package_index() -> Iterator[PackageIndexServer]:
    """A server of package indexes of the test's own, with the usual content."""
    with PackageIndexServer() as server:
        yield server


@pytest.fixture
def sandbox(  # noqa: PLR0913, PLR0917 - it is all of them together
    broker: Broker,
    database: Database,
    cluster: ClusterStandIn,
    package_index: PackageIndexServer,
    deployment: str,
    tmp_path: Path,
) -> Sandbox:
    """All surroundings of a worker: broker and database server are shared, all that is in them is the test's own."""
    folder = tmp_path / "sandbox"
    folder.mkdir()
    return Sandbox(broker, database, cluster, package_index, deployment, folder)
