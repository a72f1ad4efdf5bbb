# SPDX-License-Identifier: GPL-3.0-or-later
"""What the workers of a fault run depend on: the sandbox, a second package index, and a proxy before the database."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from sandbox.broker import Broker
from sandbox.cluster import ClusterStandIn
from sandbox.environment import Sandbox
from sandbox.package_index import PackageIndexServer
from sandbox.postgres import Database, PostgresServer
from sandbox.tcp_proxy import TcpProxy
from sandbox.workflow_lifecycle import WorkflowLifecycle

__all__ = ["Surroundings", "surroundings"]


@dataclass(frozen=True)
class Surroundings:
    """The running servers.

    Attributes:
        sandbox: the servers that every sandbox has.
        mirror: a second package index, on a host of its own.
        postgres: the server of the sandbox's database.
        proxy: the proxy through which the workers reach the database.
    """

    sandbox: Sandbox
    mirror: PackageIndexServer
    postgres: PostgresServer
    proxy: TcpProxy

    @property
    def administration(self) -> Database:
        """Another database of the server, for statements about the sandbox's database."""
        return Database(self.postgres.port, "postgres")

    def close_database_connections(self) -> None:
        """Let the database server close all connections to the sandbox's database."""
        statement = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s"
        self.administration.execute(statement, self.sandbox.database.name)

    def environment(self, **overrides: str) -> dict[str, str]:
        """Return the environment of a worker that reaches the database through the proxy."""
        return self.sandbox.env(KNOWLEDGE_GRAPH_PORT=str(self.proxy.port), **overrides)


@contextmanager
def surroundings(broker: Broker, postgres: PostgresServer, deployment: str) -> Iterator[Surroundings]:
    """Start cluster, package indexes and proxy beside a running broker and database server; stop them at the end.

    Both package indexes are registered in the graph.

    Args:
        broker: the broker; topics and groups of other deployments do not matter.
        postgres: the database server; the sandbox's database is created, and dropped at the end.
        deployment: the deployment's name.
    """
    database = postgres.graph()
    # Workflows leave the pending ones at once, so that the pending limit stays out of the way.
    cluster, index, mirror = (
        ClusterStandIn(lifecycle=WorkflowLifecycle(ttl=600)),
        PackageIndexServer(),
        PackageIndexServer(),
    )
    with (
        cluster,
        index,
        mirror,
        TcpProxy(postgres.port) as proxy,
        tempfile.TemporaryDirectory(prefix="faults-") as folder,
    ):
        sandbox = Sandbox(broker, database, cluster, index, deployment, Path(folder))
        for server in (index, mirror):
            sandbox.seed.index(server.index_url())
        yield Surroundings(sandbox, mirror, postgres, proxy)
    postgres.drop(database)
