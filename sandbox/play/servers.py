# SPDX-License-Identifier: GPL-3.0-or-later
"""Starts the servers and workers of a run, and stops them however the run ends."""

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
from sandbox.play.blocking import run_all_to_completion, run_to_completion
from sandbox.play.context import PrintLine, ScenarioContext
from sandbox.play.fixtures import listings
from sandbox.play.learning import store_initial_knowledge
from sandbox.play.worker_pool import METRICS, SCHEDULING, WorkerPool, WorkerProcess
from sandbox.postgres import Database, PostgresServer
from sandbox.processes import ProcessFailedError
from sandbox.tcp_ports import accepts
from sandbox.workflow_lifecycle import WorkflowLifecycle
from sandbox.workflow_store import CreatedWorkflow

__all__ = ["RunningServers", "create_run_folder", "running_servers"]

# The usual ports, if they are free: kcat, psql and a browser then work with the addresses that a user would try first.
_KAFKA_PORT = 9092
_POSTGRES_PORT = 5432
_WEB_PORT = 6066

_START_TIMEOUT = 90.0
_STOP_TIMEOUT = 10.0
_CHECK_INTERVAL = 0.2
_WORKFLOW_SECONDS = 0.3
_RUN_FOLDERS = Path(__file__).parents[2] / ".sandbox"


@dataclass
class RunningServers:
    """The servers and workers of a run, all started."""

    context: ScenarioContext
    workers: WorkerPool
    broker_port: int

    @property
    def folder(self) -> Path:
        """The folder of this run; the workers' logs are in it."""
        return self.context.sandbox.folder

    def dead_processes(self) -> list[str]:
        """Return one line for each worker that has exited, and for each server that accepts no connection."""
        ports = {"the Kafka broker": self.broker_port, "PostgreSQL": self.context.sandbox.database.port}
        dead_servers = [
            f"{name} is unavailable: port {port} accepts no connection"
            for name, port in ports.items()
            if not accepts(port)
        ]
        return [*self.workers.exit_messages(), *dead_servers]


@dataclass
class _EmbeddedServers:
    """The embedded servers. Each registers its stop on the exit stack before it starts, in case its start fails."""

    exit_stack: ExitStack
    broker: EmbeddedBroker = field(default_factory=lambda: EmbeddedBroker(_KAFKA_PORT))
    postgres: PostgresServer = field(default_factory=lambda: PostgresServer(_POSTGRES_PORT))
    cluster: ClusterStandIn = field(
        default_factory=lambda: ClusterStandIn(lifecycle=WorkflowLifecycle(running=_WORKFLOW_SECONDS))
    )
    index: PackageIndexServer = field(default_factory=lambda: PackageIndexServer(listings()))
    databases: list[Database] = field(default_factory=list)

    def start_database(self) -> None:
        self.exit_stack.callback(self.postgres.remove)
        self.postgres.start()
        self.databases.append(self.postgres.graph("graph"))

    def start_others(self) -> None:
        for server in (self.broker, self.cluster, self.index):
            self.exit_stack.callback(server.stop)
            server.start()


@asynccontextmanager
async def running_servers(print_line: PrintLine, workers: int) -> AsyncIterator[RunningServers]:
    """Start the servers, store the initial knowledge, and start the workers; at exit or on cancellation, stop all.

    Args:
        print_line: prints one line of progress.
        workers: the number of workers that schedule workflows; one more worker runs in metrics mode.

    Raises:
        ProcessFailedError: a process did not start; the error has the end of its log.
    """
    async with AsyncExitStack() as exits:
        server_exits = ExitStack()
        exits.push_async_callback(run_to_completion, server_exits.close)
        servers = await _start_servers(server_exits, print_line)
        kafka = KafkaClient(servers.broker.bootstrap_servers)
        await kafka.__aenter__()
        exits.push_async_callback(_disconnect, kafka)
        context = ScenarioContext(_sandbox(servers), kafka, print_line)
        _simulate_workflows(context)
        await store_initial_knowledge(context)
        session = await exits.enter_async_context(aiohttp.ClientSession())
        pool = WorkerPool(_worker_processes(context.sandbox, workers), session)
        exits.push_async_callback(_stop_workers, pool)
        await _start_workers(pool, print_line)
        yield RunningServers(context, pool, int(servers.broker.bootstrap_servers.rsplit(":", 1)[1]))


async def _start_servers(exit_stack: ExitStack, print_line: PrintLine) -> _EmbeddedServers:
    print_line("Starting a Kafka broker, PostgreSQL with the schema of thoth-storages, a cluster and a package index")
    servers = _EmbeddedServers(exit_stack)
    await run_all_to_completion(servers.start_database, servers.start_others)
    return servers


def _sandbox(servers: _EmbeddedServers) -> Sandbox:
    folder = create_run_folder(_RUN_FOLDERS)
    return Sandbox(servers.broker, servers.databases[0], servers.cluster, servers.index, "sandbox", folder)


def create_run_folder(parent: Path) -> Path:
    """Create a folder for this run in `parent`, and remove the folders of runs whose process has ended."""
    parent.mkdir(exist_ok=True)
    for folder in parent.glob("run-*-*"):
        if not _is_alive(int(folder.name.split("-")[1])):
            shutil.rmtree(folder, ignore_errors=True)
    return Path(tempfile.mkdtemp(prefix=f"run-{os.getpid()}-", dir=parent))


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _simulate_workflows(context: ScenarioContext) -> None:
    """Make the cluster stand-in, which has its own event loop, simulate its workflows on this event loop."""
    loop = asyncio.get_running_loop()

    async def run(workflow: CreatedWorkflow) -> None:
        await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(context.run(workflow), loop))

    context.sandbox.cluster.controller.run = run


def _worker_processes(sandbox: Sandbox, scheduling_workers: int) -> list[WorkerProcess]:
    modes = [*[SCHEDULING] * scheduling_workers, METRICS]
    return [
        WorkerProcess(number, each, sandbox.worker(_environment(sandbox, each), _WEB_PORT if number == 1 else 0))
        for number, each in enumerate(modes, 1)
    ]


def _environment(sandbox: Sandbox, modes: tuple[str, ...]) -> dict[str, str]:
    return sandbox.env(modes, THOTH_LOGGING_NO_JSON="1")


async def _disconnect(kafka: KafkaClient) -> None:
    with contextlib.suppress(asyncio.TimeoutError):  # without a broker, the producer's own stop takes much longer
        await asyncio.wait_for(kafka.__aexit__(None, None, None), _STOP_TIMEOUT)


async def _start_workers(workers: WorkerPool, print_line: PrintLine) -> None:
    print_line(f"Starting {len(workers.members)} workers: faust -A investigator worker")
    for member in workers.members:
        await run_to_completion(member.worker.start)
    loop = asyncio.get_running_loop()
    deadline = loop.time() + _START_TIMEOUT
    while not await workers.all_have_partitions():
        for member in workers.members:
            if (status := member.worker.process.status) is not None:
                raise ProcessFailedError(f"{member} exited with status {status}", member.worker.log)
        if loop.time() > deadline:
            raise ProcessFailedError(
                f"not all workers have joined their consumer groups within {_START_TIMEOUT:.0f} seconds",
                workers.members[0].worker.log,
            )
        await asyncio.sleep(_CHECK_INTERVAL)
    for member in workers.members:
        print_line(f"Started {member}: {member.worker.url}")


async def _stop_workers(workers: WorkerPool) -> None:
    started = [member.worker for member in workers.members if member.worker.has_started]
    for worker in started:
        worker.terminate()
    await run_all_to_completion(*(lambda worker=worker: worker.stop(_STOP_TIMEOUT) for worker in started))
