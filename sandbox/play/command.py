# SPDX-License-Identifier: GPL-3.0-or-later
"""The command behind `make run`: runs the scenarios and says by its exit status whether everything was as expected."""

import asyncio
import contextlib
import logging
import os
import shutil
import signal
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass

from sandbox.play.report import format_table
from sandbox.play.runner import SERVER_ERRORS, ScenarioRunner, outcome_line
from sandbox.play.scenarios import SCENARIOS
from sandbox.play.servers import RunningServers, running_servers
from sandbox.postgres import Database
from sandbox.processes import ProcessFailedError

__all__ = ["Options", "main"]

_SUCCESS, _FAILURE, _INTERRUPTED = 0, 1, 130
_MAX_WORKERS = 8
_CHECK_INTERVAL = 2.0


@dataclass(frozen=True)
class Options:
    """The options of the command, which are environment variables.

    Attributes:
        once: ONCE: the command ends after the scenarios instead of at Ctrl-C.
        workers: WORKERS: the number of workers that schedule workflows.
    """

    once: bool = False
    workers: int = 2

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> "Options":
        """Read the options; an empty variable counts as absent.

        Raises:
            ValueError: WORKERS is not a number in the permitted range.
        """
        workers = environment.get("WORKERS") or "2"
        if not workers.isdecimal() or not 1 <= int(workers) <= _MAX_WORKERS:
            raise ValueError(f"WORKERS must be a number from 1 to {_MAX_WORKERS}, not {workers!r}")
        return cls(once=environment.get("ONCE", "") not in ("", "0"), workers=int(workers))


def main() -> int:
    """Run the command; return its exit status: 0 if everything was as expected, 1 if not, 130 after an interrupt."""
    try:
        options = Options.from_environment(os.environ)
    except ValueError as error:
        sys.stderr.write(f"{error}\n")
        return _FAILURE
    # The command itself reports an unavailable broker, once; aiokafka logs every failed attempt to connect.
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    return asyncio.run(_run_until_signal(options))


async def _run_until_signal(options: Options) -> int:
    """Run the command in a task that the first SIGINT or SIGTERM cancels; the task stops what it has started."""
    task = asyncio.create_task(_run(options))
    for signal_number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(signal_number, _CancelOnce(task))
    try:
        return await task
    except asyncio.CancelledError:
        return _INTERRUPTED


class _CancelOnce:
    """Cancels a task at the first call. Later calls do nothing: they would interrupt the task's clean-up."""

    def __init__(self, task: "asyncio.Task[int]") -> None:
        self._task: asyncio.Task[int] | None = task

    def __call__(self) -> None:
        task, self._task = self._task, None
        if task is not None:
            print("\nStopping the workers and servers.", flush=True)
            task.cancel()


class _TimedPrinter:
    """Prints each line after the seconds since the start."""

    def __init__(self) -> None:
        self._start = time.monotonic()

    def __call__(self, line: str) -> None:
        print(f"{time.monotonic() - self._start:6.1f} s  {line}" if line else "", flush=True)


async def _run(options: Options) -> int:
    try:
        async with running_servers(_TimedPrinter(), options.workers) as servers:
            status = await _run_scenarios(servers)
            if options.once:
                print("Stopping the workers and servers.", flush=True)
            else:
                status = await _wait_for_interrupt(servers, status)
    except (ProcessFailedError, *SERVER_ERRORS) as error:
        print(f"\nThe sandbox did not start: {error}", flush=True)
        return _FAILURE
    if status == _SUCCESS:
        await asyncio.to_thread(shutil.rmtree, servers.folder, ignore_errors=True)
    return status


async def _run_scenarios(servers: RunningServers) -> int:
    runner = ScenarioRunner(servers.context, servers.workers, servers.dead_processes)
    await runner.run()
    unmet = await runner.verify()
    print("", *format_table(await runner.rows()), "", sep="\n", flush=True)
    for scenario in SCENARIOS:
        print(outcome_line(scenario, runner.unmet[scenario.number]))
    print()
    if not unmet:
        print("Everything happened as expected.", flush=True)
        return _SUCCESS
    print("Not everything happened as expected:", *unmet, sep="\n  ")
    for member in servers.workers.members:
        if member.exit_message:
            print("", f"The last lines in the log of {member}:", *member.last_log_lines(), sep="\n  ")
    print(f"\nThe workers' logs are in {servers.folder}.", flush=True)
    return _FAILURE


async def _wait_for_interrupt(servers: RunningServers, status: int) -> int:
    """Print the addresses and wait for Ctrl-C; print each worker or server that dies meanwhile, once.

    Returns:
        The given exit status, or that of a failure if a worker or server has died.
    """
    print("", *_addresses(servers), "", "Servers and workers keep running until Ctrl-C.", sep="\n", flush=True)
    reported: set[str] = set()
    with contextlib.suppress(asyncio.CancelledError):
        while True:
            for line in set(await asyncio.to_thread(servers.dead_processes)) - reported:
                print(line, flush=True)
                reported.add(line)
            await asyncio.sleep(_CHECK_INTERVAL)
    return _FAILURE if reported else status


def _addresses(servers: RunningServers) -> list[str]:
    sandbox = servers.context.sandbox
    workers = [f"  {member}: {member.worker.url}/ (also /metrics and /_health)" for member in servers.workers.members]
    return [
        "Addresses:",
        *workers,
        f"  workflows in the cluster: {sandbox.cluster.url}/_sandbox/workflows",
        f"  package index: {sandbox.index.index_url()}",
        f"  Kafka: {sandbox.broker.bootstrap_servers}; the names of topics begin with {sandbox.deployment}.",
        f"  PostgreSQL: {_connection_string(sandbox.database)}",
        f"  logs of the workers: {servers.folder}/worker-*/log",
    ]


def _connection_string(database: Database) -> str:
    names = ("USER", "PASSWORD", "HOST", "PORT", "DATABASE")
    user, password, host, port, name = (database.environment()[f"KNOWLEDGE_GRAPH_{each}"] for each in names)
    return f"postgresql://{user}:{password}@{host}:{port}/{name}"
