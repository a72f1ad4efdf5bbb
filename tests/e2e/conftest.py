# SPDX-License-Identifier: GPL-3.0-or-later
"""Fixtures of the end-to-end tests. Servers are shared by all of them, what is in the servers by none."""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from sandbox.broker import Broker
from sandbox.cluster import ClusterStandIn
from sandbox.environment import Sandbox
from sandbox.package_index import PackageIndexServer
from sandbox.postgres import PostgresServer
from sandbox.worker import Worker
from tests.support.e2e import Kafka

# A worker that was killed is missed after this many seconds; the shorter, the sooner others take over in the tests.
SHORT_SESSION = {"THOTH_INVESTIGATOR_SESSION_TIMEOUT": "3"}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark all tests of this folder, and only these."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.e2e)


@pytest.fixture(scope="session")
def kafka(broker: Broker) -> Iterator[Kafka]:
    """A client of the shared broker."""
    with Kafka(broker.bootstrap_servers) as client:
        yield client


@contextmanager
def surroundings(broker: Broker, postgres: PostgresServer, folder: Path) -> Iterator[Sandbox]:
    """Give surroundings of their own to several tests, as the fixture `sandbox` does to one."""
    database = postgres.graph()
    with ClusterStandIn() as cluster, PackageIndexServer() as index:
        yield Sandbox(broker, database, cluster, index, f"test-{uuid.uuid4().hex[:10]}", folder)
    postgres.drop(database)


@contextmanager
def running(*workers: Worker) -> Iterator[None]:
    """Start workers side by side, wait until they are healthy, and kill at the end those that still run."""
    try:
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.wait_until_healthy()
        yield
    finally:
        for worker in workers:
            if worker.has_started:
                worker.kill()


@pytest.fixture(scope="module")
def place(broker: Broker, postgres: PostgresServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    """Surroundings that the tests of a file share, with the sandbox's index registered."""
    with surroundings(broker, postgres, tmp_path_factory.mktemp("place")) as sandbox:
        sandbox.seed.index(sandbox.index.index_url())
        yield sandbox


@pytest.fixture(scope="module")
def worker(place: Sandbox) -> Iterator[Worker]:
    """A worker that the tests of a file share: each of them uses message types of its own."""
    with place.worker() as running:
        yield running
