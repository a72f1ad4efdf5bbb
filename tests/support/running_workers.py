# SPDX-License-Identifier: GPL-3.0-or-later
"""Workers that run side by side, and sandboxes that several tests share."""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sandbox.broker import Broker
from sandbox.cluster import ClusterStandIn
from sandbox.environment import Sandbox
from sandbox.package_index import PackageIndexServer
from sandbox.postgres import PostgresServer
from sandbox.worker import Worker

# The group evicts a killed worker after this many seconds. A short time makes tests of takeovers fast.
SHORT_SESSION = {"THOTH_INVESTIGATOR_SESSION_TIMEOUT": "3"}


@contextmanager
def empty_sandbox(broker: Broker, postgres: PostgresServer, folder: Path) -> Iterator[Sandbox]:
    """Start a sandbox on servers that already run, as the fixture `sandbox` does, but for more than one test.

    Args:
        broker: the broker; the sandbox's topics and groups have names of their own.
        postgres: the database server; the sandbox's database is created, and dropped at the end.
        folder: the folder for the workers' files and the KUBECONFIG file.
    """
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
