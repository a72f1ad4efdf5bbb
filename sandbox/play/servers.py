# SPDX-License-Identifier: GPL-3.0-or-later
"""Starts everything that a story needs, and stops it all again, whatever happens in between."""

import asyncio
import contextlib
import os
import shutil
import tempfile
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp

from sandbox.broker import EmbeddedBroker
from sandbox.cluster import ClusterStandIn
from sandbox.environment import Sandbox
from sandbox.kafka_client import KafkaClient
from sandbox.package_index import PackageIndexServer
from sandbox.play.blocking import all_to_their_end, to_its_end
from sandbox.play.context import ScenarioContext, Tell
from sandbox.play.fixtures import listings
from sandbox.play.learning import store_first_knowledge
from sandbox.play.workers import ACTING, METRICS, WorkerPool, WorkerProcess
from sandbox.ports import accepts
from sandbox.postgres import Database, PostgresServer
from sandbox.processes import ProcessFailedError
from sandbox.workflow_lifecycle import WorkflowLifecycle
from sandbox.workflow_store import CreatedWorkflow

__all__ = ["RunningServers", "new_folder", "opened"]

# Taken where they are free, so that the tools at hand work without a word.
_KAFKA_PORT = 9092
_POSTGRES_PORT = 5432
_WEB_PORT = 6066

_START_SECONDS = 90.0
_STOP_SECONDS = 10.0
_LOOK_EVERY = 0.2
_WORKFLOWS_TAKE = 0.3
_LOGS = Path(__file__).parents[2] / ".sandbox"


@dataclass
class RunningServers:
    """Everything, running."""

    world: ScenarioContext
    workers: WorkerPool
    broker_port: int

    @property
    def folder(self) -> Path:
        """Where the workers' logs are."""
        return self.world.sandbox.folder

    def troubles(self) -> list[str]:
        """Tell which workers and servers are gone."""
        servers = {"the Kafka broker": self.broker_port, "PostgreSQL": self.world.sandbox.database.port}
        gone = [f"{name} is gone: nobody answers on port {port}" for name, port in servers.items() if not accepts(port)]
        return [*self.workers.obituaries(), *gone]


@dataclass
class _Servers:
    """The embedded servers; each is on the stack before it starts, so that closing stops one that has half started."""

    stack: ExitStack
    broker: EmbeddedBroker = field(default_factory=lambda: EmbeddedBroker(_KAFKA_PORT))
    postgres: PostgresServer = field(default_factory=lambda: PostgresServer(_POSTGRES_PORT))
    cluster: ClusterStandIn = field(
        default_factory=lambda: ClusterStandIn(lifecycle=WorkflowLifecycle(running=_WORKFLOWS_TAKE))
    )
    index: PackageIndexServer = field(default_factory=lambda: PackageIndexServer(listings()))
    databases: list[Database] = field(default_factory=list)

    def start_database(self) -> None:
        self.stack.callback(self.postgres.remove)
        self.postgres.start()
        self.databases.append(self.postgres.graph("graph"))

    def start_others(self) -> None:
        for server in (self.broker, self.cluster, self.index):
            self.stack.callback(server.stop)
            server.start()


@asynccontextmanager
async def opened(tell: Tell, workers: int) -> AsyncIterator[RunningServers]:
    """Start the servers, store the first knowledge, start the workers; at the end, or when cancelled, stop them all.

    Args:
        tell: takes each line for the person at the terminal.
        workers: how many workers act; one more counts.

    Raises:
        ProcessFailedError: a process did not start; with the end of its log.
    """
    async with AsyncExitStack() as parts:
        stack = ExitStack()
        parts.push_async_callback(to_its_end, stack.close)
        servers = await _started(stack, tell)
        kafka = KafkaClient(servers.broker.bootstrap_servers)
        await kafka.__aenter__()
        parts.push_async_callback(_disconnect, kafka)
        world = ScenarioContext(_sandbox_of(servers), kafka, tell)
        _run_workflows_in(world)
        await store_first_knowledge(world)
        web = await parts.enter_async_context(aiohttp.ClientSession())
        pool = WorkerPool(_members(world.sandbox, workers), web)
        parts.push_async_callback(_stop, pool)
        await _start(pool, tell)
        yield RunningServers(world, pool, int(servers.broker.bootstrap_servers.rsplit(":", 1)[1]))


async def _started(stack: ExitStack, tell: Tell) -> _Servers:
    tell("starting a Kafka broker, PostgreSQL with the schema of thoth-storages, a cluster and a package index")
    servers = _Servers(stack)
    await all_to_their_end(servers.start_database, servers.start_others)
    return servers


def _sandbox_of(servers: _Servers) -> Sandbox:
    folder = new_folder(_LOGS)
    return Sandbox(servers.broker, servers.databases[0], servers.cluster, servers.index, "sandbox", folder)


def new_folder(parent: Path) -> Path:
    """Make a folder for this run inside of another one, and remove those of runs that are over."""
    parent.mkdir(exist_ok=True)
    for old in parent.glob("run-*-*"):
        if not _runs(int(old.name.split("-")[1])):
            shutil.rmtree(old, ignore_errors=True)
    return Path(tempfile.mkdtemp(prefix=f"run-{os.getpid()}-", dir=parent))


def _runs(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _run_workflows_in(world: ScenarioContext) -> None:
    """Let the cluster, which lives on a loop of its own, run its workflows on this one."""
    here = asyncio.get_running_loop()

    async def run(workflow: CreatedWorkflow) -> None:
        await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(world.run(workflow), here))

    world.sandbox.cluster.controller.run = run


def _members(sandbox: Sandbox, workers: int) -> list[WorkerProcess]:
    modes = [*[ACTING] * workers, METRICS]
    return [
        WorkerProcess(number, each, sandbox.worker(_environment(sandbox, each), _WEB_PORT if number == 1 else 0))
        for number, each in enumerate(modes, 1)
    ]


def _environment(sandbox: Sandbox, modes: tuple[str, ...]) -> dict[str, str]:
    return sandbox.env(modes, THOTH_LOGGING_NO_JSON="1")


async def _disconnect(kafka: KafkaClient) -> None:
    with contextlib.suppress(asyncio.TimeoutError):  # it would wait long for a broker that is gone
        await asyncio.wait_for(kafka.__aexit__(None, None, None), _STOP_SECONDS)


async def _start(workers: WorkerPool, tell: Tell) -> None:
    tell(f"starting {len(workers.members)} workers: faust -A investigator worker")
    for member in workers.members:
        await to_its_end(member.worker.start)
    loop = asyncio.get_running_loop()
    deadline = loop.time() + _START_SECONDS
    while not await workers.all_have_partitions():
        for member in workers.members:
            if (status := member.worker.process.status) is not None:
                raise ProcessFailedError(f"{member} has ended with status {status}", member.worker.log)
        if loop.time() > deadline:
            raise ProcessFailedError("the workers have no partitions yet", workers.members[0].worker.log)
        await asyncio.sleep(_LOOK_EVERY)
    for member in workers.members:
        tell(f"{member} is at {member.worker.url}")


async def _stop(workers: WorkerPool) -> None:
    started = [member.worker for member in workers.members if member.worker.has_started]
    for worker in started:
        worker.terminate()
    await all_to_their_end(*(lambda worker=worker: worker.stop(_STOP_SECONDS) for worker in started))
