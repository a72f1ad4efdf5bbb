# SPDX-License-Identifier: GPL-3.0-or-later
"""All surroundings of investigator together: broker, database, cluster, package index, and workers among them."""

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


@dataclass
class Sandbox:
    """Surroundings that run; each part may be used by itself.

    Attributes:
        deployment: the default for THOTH_DEPLOYMENT_NAME, which all topics begin with.
        folder: where workers have their folders, and the KUBECONFIG file is.
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
        """Give the name of the topic of a message type in the sandbox's deployment."""
        return f"{self.deployment}.{base_name}"

    def group(self, modes: Sequence[str] = MODES) -> str:
        """Give the consumer group of the workers with those modes."""
        return f"{self.deployment}-{'-'.join(modes)}"

    def env(
        self,
        modes: Sequence[str] = MODES,
        deployment: str | None = None,
        group: str | None = None,
        **overrides: str | None,
    ) -> dict[str, str]:
        """Give the environment of a worker with those modes; `overrides` by variable name, None leaves one out."""
        environment: dict[str, str | None] = {
            "KAFKA_BOOTSTRAP_SERVERS": self.broker.bootstrap_servers,
            "KAFKA_CONSUMER_GROUP_ID": group or self.group(modes),
            "KUBECONFIG": str(self._kubeconfig),
            "THOTH_CONSUMER_MODE": json.dumps(list(modes)),
            "THOTH_INVESTIGATOR_PRODUCER_IDEMPOTENCE": "1" if self.broker.idempotent else "0",
            "THOTH_INVESTIGATOR_READ_IDLE_TIME": str(self.broker.read_idle_time),
            "THOTH_INVESTIGATOR_TOPIC_REPLICATION_FACTOR": str(self.broker.copies),
            # A group's first join waits for half of this on the embedded broker.
            "THOTH_INVESTIGATOR_SESSION_TIMEOUT": "6",
            **self.cluster.environment(deployment or self.deployment),
            **self.database.environment(),
            **overrides,
        }
        return {name: value for name, value in environment.items() if value is not None}

    def worker(self, environment: dict[str, str] | None = None, port: int = 0) -> Worker:
        """Make a worker, not started yet, with an own folder; by default with the environment of `env()`."""
        return Worker(environment or self.env(), self.folder / f"worker-{next(self._numbers)}", port)


@contextmanager
def running_sandbox(
    *,
    deployment: str = "sandbox",
    cluster: ClusterStandIn | None = None,
    index: PackageIndexServer | None = None,
    gated: bool = False,
) -> Iterator[Sandbox]:
    """Start everything on free ports, and stop it all and remove its files at the end.

    Args:
        deployment: the deployment's name.
        cluster: a stand-in that is not started yet, for settings other than the usual ones.
        index: a package index that is not started yet, for content other than the usual one.
        gated: whether the broker can be made unreachable without losing its data.
    """
    folder = Path(tempfile.mkdtemp(prefix="sandbox-"))
    with ExitStack() as parts:
        parts.callback(shutil.rmtree, folder, ignore_errors=True)
        yield Sandbox(
            broker=parts.enter_context(broker_of_environment(gated=gated)),
            cluster=parts.enter_context(cluster or ClusterStandIn()),
            index=parts.enter_context(index or PackageIndexServer()),
            database=parts.enter_context(PostgresServer()).graph(),
            deployment=deployment,
            folder=folder,
        )
