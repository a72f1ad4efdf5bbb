# SPDX-License-Identifier: GPL-3.0-or-later
"""Where it is measured: the sandbox's surroundings, messages in topics, and the processes that handle them."""

import asyncio
import itertools
import shutil
import sys
import tempfile
import urllib.request
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.api import RemoteApi
from benchmarks.counter import NAME, Counter
from sandbox.broker import Broker, broker_of_environment
from sandbox.environment import Sandbox
from sandbox.kafka_client import KafkaClient
from sandbox.package_index import PackageIndexServer
from sandbox.postgres import PostgresServer
from sandbox.processes import ChildProcess
from sandbox.worker import Worker

__all__ = ["RELEASED", "UNREVSOLVED", "BenchmarkEnvironment", "BenchmarkStage", "processed", "running_environment"]

RELEASED = "thoth.package-release.package-released"
UNREVSOLVED = "thoth.investigator.unrevsolved-package"
_REPOSITORY = Path(__file__).parent.parent
_CHUNK = 2000  # messages that are on their way to the broker at once


@dataclass
class BenchmarkStage:
    """A deployment of its own: fresh topics with messages in them, for workers and bare consumers alike."""

    sandbox: Sandbox
    partitions: int = 1
    base_name: str = RELEASED
    _numbers: Iterator[int] = field(default_factory=itertools.count)

    @property
    def topic(self) -> str:
        """The topic of the messages."""
        return self.sandbox.topic(self.base_name)

    def fill(self, count: int) -> None:
        """Send so many messages, each about a package of its own, spread over all partitions."""
        asyncio.run(self._fill(count))

    async def _fill(self, count: int) -> None:
        await self.sandbox.broker.create_topics([self.topic], self.partitions)
        async with KafkaClient(self.sandbox.broker.bootstrap_servers) as client:
            for begin in range(0, count, _CHUNK):
                for partition in range(self.partitions):
                    numbers = range(begin + partition, min(begin + _CHUNK, count), self.partitions)
                    messages = [released(next(self._numbers)) for _ in numbers]
                    await client.send_all(self.topic, messages, partition=partition)

    @contextmanager
    def worker(self, **variables: str) -> Iterator[Worker]:
        """Run a worker; the variables differ from the sandbox's."""
        environment = self.sandbox.env(THOTH_INVESTIGATOR_TOPIC_PARTITIONS=str(self.partitions), **variables)
        with self.sandbox.worker(environment) as worker:
            yield worker

    @contextmanager
    def workers(self, number: int, **variables: str) -> Iterator[list[Worker]]:
        """Run several workers of one group."""
        with ExitStack() as running:
            yield [running.enter_context(self.worker(**variables)) for _ in range(number)]

    @contextmanager
    def bare(self, module: str, *arguments: str) -> Iterator[tuple[ChildProcess, Callable[[], int]]]:
        """Run a bare consumer; gives its process, and what tells how many messages it has had."""
        name = f"{module}-{uuid.uuid4().hex[:8]}"
        path = self.sandbox.folder / name
        counter = Counter(path)
        environment = {
            NAME + "BROKER": self.sandbox.broker.bootstrap_servers,
            NAME + "TOPIC": self.topic,
            NAME + "GROUP": name,
            NAME + "COUNTER": str(path),
        }
        process = run_module(f"benchmarks.{module}", *arguments, log=path.with_suffix(".log"), environment=environment)
        try:
            yield process, counter.read
        finally:
            process.kill()


def run_module(module: str, *arguments: str, log: Path, environment: dict[str, str]) -> ChildProcess:
    """Start a module of the benchmarks as a process of its own."""
    command = [sys.executable, "-m", module, *arguments]
    path = {"PATH": "/usr/bin:/bin", "HOME": str(log.parent), "PYTHONPATH": str(_REPOSITORY)}
    return ChildProcess(command, log, environment={**path, **environment}, folder=log.parent)


def released(number: int) -> dict[str, object]:
    """Make a message about the release of a package; whoever wants less of it ignores the rest."""
    return {
        "component_name": "package-release-job",
        "service_version": "0.10.3",
        "version": "v1",
        "index_url": "https://pypi.org/simple",
        "package_name": f"package-{number}",
        "package_version": f"1.{number}.0",
    }


def processed(worker: Worker) -> int:
    """Tell how many messages a worker has handled."""
    with urllib.request.urlopen(f"{worker.url}/metrics", timeout=10) as reply:  # noqa: S310 - our own URL
        lines = reply.read().decode().splitlines()
    name = "thoth_investigator_processed_total{"
    return round(sum(float(line.rsplit(" ", 1)[1]) for line in lines if line.startswith(name)))


@dataclass(frozen=True)
class BenchmarkEnvironment:
    """Servers that run: a broker, a database, the cluster's API."""

    broker: Broker
    postgres: PostgresServer
    api: RemoteApi
    index: PackageIndexServer
    folder: Path

    @contextmanager
    def stage(self, partitions: int = 1, base_name: str = RELEASED) -> Iterator[BenchmarkStage]:
        """Give a deployment of its own."""
        name = f"bench-{uuid.uuid4().hex[:8]}"
        folder = self.folder / name
        folder.mkdir()
        database = self.postgres.graph()
        try:
            yield BenchmarkStage(
                Sandbox(self.broker, database, self.api.cluster, self.index, name, folder), partitions, base_name
            )
        finally:
            self.postgres.drop(database)


@contextmanager
def running_environment() -> Iterator[BenchmarkEnvironment]:
    """Start everything on free ports, and stop it all at the end; files, with all logs, are kept after a failure."""
    folder = Path(tempfile.mkdtemp(prefix="benchmarks-"))
    with ExitStack() as parts:
        yield BenchmarkEnvironment(
            broker=parts.enter_context(broker_of_environment()),
            postgres=parts.enter_context(PostgresServer()),
            api=parts.enter_context(RemoteApi(folder)),
            index=PackageIndexServer(),
            folder=folder,
        )
    shutil.rmtree(folder, ignore_errors=True)
