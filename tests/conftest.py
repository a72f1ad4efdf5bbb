# SPDX-License-Identifier: GPL-3.0-or-later
"""Fixtures for tests of several folders: the servers of the sandbox, and the check for open connections."""

import tempfile
import uuid
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import pytest
from kubernetes.config import kube_config

from investigator.kafka.patches.all_clients import patch_clients
from sandbox.broker import Broker, broker_of_environment
from sandbox.cluster import ClusterStandIn
from sandbox.environment import Sandbox
from sandbox.graph_seed import GraphSeed
from sandbox.package_index import PackageIndexServer
from sandbox.postgres import Database, PostgresServer
from tests.support.leaks import failure_on_open_connections

# How long an example takes depends on the machine, and a busy one must not fail a property.
hypothesis.settings.register_profile(
    "any machine", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("any machine")


@pytest.fixture(autouse=True)
def every_connection_is_closed() -> Iterator[None]:
    """Fail the test that leaves a connection open, instead of a later test in which the collector finds it.

    Pytest sets up the fixtures of sessions and modules first, so connections that these open at once do not count.
    Folders whose modules share clients override this fixture with one per module.
    """
    with failure_on_open_connections():
        yield


@pytest.fixture(autouse=True, scope="session")
def clients_as_in_a_process_of_ours() -> None:
    """Patch the clients of Kafka, as workers and commands do at their start."""
    patch_clients()


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[ClusterStandIn]:
    """A new cluster stand-in without workflows; its KUBECONFIG file is `tmp_path / "kubeconfig"`."""
    with ClusterStandIn() as stand_in:
        stand_in.write_kubeconfig(tmp_path / "kubeconfig")
        yield stand_in


@pytest.fixture
def cluster_environment(cluster: ClusterStandIn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """The environment variables by which thoth-common finds the stand-in, which are also set in this process."""
    environment = {"KUBECONFIG": str(tmp_path / "kubeconfig"), **cluster.environment("test")}
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    # The Kubernetes client reads KUBECONFIG only when it is imported, which an earlier test may have done.
    monkeypatch.setattr(kube_config, "KUBE_CONFIG_DEFAULT_LOCATION", environment["KUBECONFIG"])
    # The OpenShift client caches the discovered API resources by URL in the folder for temporary files.
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return environment


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """The PostgreSQL server of the whole session; a test that stops it must start it again."""
    with PostgresServer() as server:
        yield server


@pytest.fixture
def database(postgres: PostgresServer) -> Iterator[Database]:
    """A new database with thoth-storages' schema and no rows."""
    database = postgres.graph()
    yield database
    postgres.drop(database)


@pytest.fixture
def graph_seed(database: Database) -> GraphSeed:
    """A writer and reader of rows in the test's database."""
    return GraphSeed(database)


@pytest.fixture(scope="session")
def broker() -> Iterator[Broker]:
    """The Kafka broker of the whole session; tests take topics and groups of their own, see `deployment`."""
    with broker_of_environment() as running:
        yield running


@pytest.fixture
def deployment() -> str:
    """A deployment name that no other test has, so that topics and groups are not shared."""
    return f"test-{uuid.uuid4().hex[:10]}"


@pytest.fixture
def package_index() -> Iterator[PackageIndexServer]:
    """A new server of package indexes with the default content."""
    with PackageIndexServer() as server:
        yield server


@pytest.fixture
def sandbox(  # noqa: PLR0913, PLR0917 - all servers together
    broker: Broker,
    database: Database,
    cluster: ClusterStandIn,
    package_index: PackageIndexServer,
    deployment: str,
    tmp_path: Path,
) -> Sandbox:
    """All dependencies of a worker: the broker and the database server are shared, their contents are not."""
    folder = tmp_path / "sandbox"
    folder.mkdir()
    return Sandbox(broker, database, cluster, package_index, deployment, folder)
