# SPDX-License-Identifier: GPL-3.0-or-later
"""All servers that investigator needs, started together: broker, database, cluster, package index; and workers."""

import itertools
import json
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from sandbox.broker import Broker, broker_of_environment
from sandbox.cluster import ClusterStandIn
from sandbox.graph_seed import GraphSeed
from sandbox.package_index import PackageIndexServer
from sandbox.postgres import Database, PostgresServer
from sandbox.worker import Worker

__all__ = ["Sandbox", "running_sandbox"]

MODES = ("middletier", "backend")

_REPLAY_KEY = "the replay key of every sandbox, no secret"


@dataclass
class Sandbox:
    """The running servers; each one may be used directly.

    Attributes:
        deployment: the default of THOTH_DEPLOYMENT_NAME, the first part of every topic's name.
        folder: the folder of the KUBECONFIG file, and of a folder for each worker.
    """

    broker: Broker
    database: Database
    cluster: ClusterStandIn
    index: PackageIndexServer
    deployment: str
    folder: Path
    seed: GraphSeed = field(init=False)

    def __post_init__(self) -> None:
        self.seed = GraphSeed(self.database)
        self._kubeconfig = self.cluster.write_kubeconfig(self.folder / "kubeconfig")
        self._numbers = itertools.count(1)

    def topic(self, base_name: str) -> str:
        """Return the name of a message type's topic in the sandbox's deployment."""
        return f"{self.deployment}.{base_name}"

    def group(self, modes: Sequence[str] = MODES) -> str:
        """Return the consumer group of the workers with those modes."""
        return f"{self.deployment}-{'-'.join(modes)}"

    def env(
        self,
        modes: Sequence[str] = MODES,
        deployment: str | None = None,
        group: str | None = None,
        **overrides: str | None,
    ) -> dict[str, str]:
        """Return the environment of a worker with those modes; a value of None in `overrides` removes the variable."""
        environment: dict[str, str | None] = {
            "KAFKA_BOOTSTRAP_SERVERS": self.broker.bootstrap_servers,
            "KAFKA_CONSUMER_GROUP_ID": group or self.group(modes),
            "KUBECONFIG": str(self._kubeconfig),
            "THOTH_CONSUMER_MODE": json.dumps(list(modes)),
            "THOTH_INVESTIGATOR_FETCH_MAX_WAIT_MS": str(self.broker.fetch_max_wait_ms),
            "THOTH_INVESTIGATOR_REPLAY_KEY": _REPLAY_KEY,
            "THOTH_INVESTIGATOR_PRODUCER_IDEMPOTENCE": "1" if self.broker.idempotent else "0",
            "THOTH_INVESTIGATOR_READ_IDLE_TIME": str(self.broker.read_idle_time),
            "THOTH_INVESTIGATOR_TOPIC_REPLICATION_FACTOR": str(self.broker.replication_factor),
            # On the embedded broker, the first join of a group waits for half of the session timeout.
            "THOTH_INVESTIGATOR_SESSION_TIMEOUT": "6",
            **self.cluster.environment(deployment or self.deployment),
            **self.database.environment(),
            **overrides,
        }
        return {name: value for name, value in environment.items() if value is not None}

    def worker(self, environment: dict[str, str] | None = None, port: int = 0) -> Worker:
        """Return a new worker, not yet started, with its own folder; by default with the environment of `env()`."""
        return Worker(environment or self.env(), self.folder / f"worker-{next(self._numbers)}", port)


@contextmanager
def running_sandbox(
    *,
    deployment: str = "sandbox",
    cluster: ClusterStandIn | None = None,
    index: PackageIndexServer | None = None,
    proxied: bool = False,
) -> Iterator[Sandbox]:
    """Start all servers on free ports; at the end stop them and remove their files.

    Args:
        deployment: the deployment's name.
        cluster: a cluster stand-in, not yet started; None for one with default settings.
        index: a package index, not yet started; None for one with the default content.
        proxied: whether clients reach the broker through a TCP proxy that can be closed without loss of data.
    """
    folder = Path(tempfile.mkdtemp(prefix="sandbox-"))
    with ExitStack() as parts:
        parts.callback(shutil.rmtree, folder, ignore_errors=True)
        yield Sandbox(
            broker=parts.enter_context(broker_of_environment(proxied=proxied)),
            cluster=parts.enter_context(cluster or ClusterStandIn()),
            index=parts.enter_context(index or PackageIndexServer()),
            database=parts.enter_context(PostgresServer()).graph(),
            deployment=deployment,
            folder=folder,
        )
