# SPDX-License-Identifier: GPL-3.0-or-later
"""The command: plays the story at a terminal and answers by its exit status whether all went as it should."""

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

from sandbox.play.report import table
from sandbox.play.runner import SERVER_ERRORS, ScenarioRunner, closing
from sandbox.play.scenarios import SCENARIOS
from sandbox.play.servers import RunningServers, opened
from sandbox.postgres import Database
from sandbox.processes import ProcessFailedError

__all__ = ["Options", "main"]

_DONE, _LACKING, _INTERRUPTED = 0, 1, 130
_MOST_WORKERS = 8
_LOOK_EVERY = 2.0


@dataclass(frozen=True)
class Options:
    """What the environment of the command says: ONCE and WORKERS."""

    once: bool = False
    workers: int = 2

    @classmethod
    def of(cls, environment: Mapping[str, str]) -> "Options":
        """Read them; raises ValueError where WORKERS is no sensible number."""
        workers = environment.get("WORKERS") or "2"
        if not workers.isdecimal() or not 1 <= int(workers) <= _MOST_WORKERS:
            raise ValueError(f"WORKERS must be a number from 1 to {_MOST_WORKERS}, not {workers!r}")
        return cls(once=environment.get("ONCE", "") not in ("", "0"), workers=int(workers))


def main() -> int:
    """Play the story; gives the exit status: 0 if all went as it should, 1 if not, 130 if it was interrupted."""
    try:
        options = Options.of(os.environ)
    except ValueError as error:
        sys.stderr.write(f"{error}\n")
        return _LACKING
    # Whether the broker is there is told once and in plain words, not at each of many attempts to reach it.
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    return asyncio.run(_until_told_to_stop(options))


async def _until_told_to_stop(options: Options) -> int:
    """Run the story in a task of its own that SIGINT and SIGTERM cancel, once; what it has started it then stops."""
    task = asyncio.create_task(_perform(options))
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, _Cancel(task))
    try:
        return await task
    except asyncio.CancelledError:
        return _INTERRUPTED


class _Cancel:
    """Cancels a task at the first call and does nothing at the others: the task is stopping all it has started."""

    def __init__(self, task: "asyncio.Task[int]") -> None:
        self._task: asyncio.Task[int] | None = task

    def __call__(self) -> None:
        task, self._task = self._task, None
        if task is not None:
            print("\nStopping the workers and servers.", flush=True)
            task.cancel()


class _Teller:
    """Prints each line with the seconds since the start."""

    def __init__(self) -> None:
        self._start = time.monotonic()

    def __call__(self, line: str) -> None:
        print(f"{time.monotonic() - self._start:6.1f} s  {line}" if line else "", flush=True)


async def _perform(options: Options) -> int:
    try:
        async with opened(_Teller(), options.workers) as stage:
            status = await _play(stage)
            if options.once:
                print("Stopping the workers and servers.", flush=True)
            else:
                status = await _stay_up(stage, status)
    except (ProcessFailedError, *SERVER_ERRORS) as error:
        print(f"\nIt could not be started: {error}", flush=True)
        return _LACKING
    if status == _DONE:
        await asyncio.to_thread(shutil.rmtree, stage.folder, ignore_errors=True)
    return status


async def _play(stage: RunningServers) -> int:
    story = ScenarioRunner(stage.world, stage.workers, stage.troubles)
    await story.play()
    lacking = await story.judge()
    print("", *table(await story.rows()), "", sep="\n", flush=True)
    for scenario in SCENARIOS:
        print(closing(scenario, story.lacking[scenario.number]))
    print()
    if not lacking:
        print("All that was expected happened.", flush=True)
        return _DONE
    print("Not all that was expected happened:", *lacking, sep="\n  ")
    for member in stage.workers.members:
        if member.obituary:
            print("", f"The log of {member} ends:", *member.last_words(), sep="\n  ")
    print(f"\nThe workers' logs are in {stage.folder}.", flush=True)
    return _LACKING


async def _stay_up(stage: RunningServers, status: int) -> int:
    """Wait until the process is told to stop; tell what is gone meanwhile."""
    print("", *_addresses(stage), "", "It stays up like this until Ctrl-C.", sep="\n", flush=True)
    told: set[str] = set()
    with contextlib.suppress(asyncio.CancelledError):
        while True:
            for trouble in set(await asyncio.to_thread(stage.troubles)) - told:
                print(trouble, flush=True)
                told.add(trouble)
            await asyncio.sleep(_LOOK_EVERY)
    return _LACKING if told else status


def _addresses(stage: RunningServers) -> list[str]:
    sandbox = stage.world.sandbox
    workers = [f"  {member}: {member.worker.url}/ (also /metrics and /_health)" for member in stage.workers.members]
    return [
        "Look at it:",
        *workers,
        f"  the cluster's workflows: {sandbox.cluster.url}/_sandbox/workflows",
        f"  the package index: {sandbox.index.index_url()}",
        f"  Kafka: {sandbox.broker.bootstrap_servers}, topics begin with {sandbox.deployment}.",
        f"  PostgreSQL: {_connection_string(sandbox.database)}",
        f"  logs: {stage.folder}/worker-*/log",
    ]


def _connection_string(database: Database) -> str:
    names = ("USER", "PASSWORD", "HOST", "PORT", "DATABASE")
    user, password, host, port, name = (database.environment()[f"KNOWLEDGE_GRAPH_{each}"] for each in names)
    return f"postgresql://{user}:{password}@{host}:{port}/{name}"
