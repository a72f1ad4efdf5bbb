# SPDX-License-Identifier: GPL-3.0-or-later
"""The commands that list halts, and halt and resume topics."""

import asyncio
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import click

from investigator.cli.common import base_name_of, json_option, print_json, print_table, run
from investigator.cli.masking import printable
from investigator.cli.ports import Operations
from investigator.delivery.halt_coordinator import HaltCoordinator
from investigator.delivery.halts import FailedMessage, Outcome, ResumeAction
from investigator.delivery.resume import ResumeResult
from investigator.kafka.errors import KafkaTimeoutError
from investigator.observability.time_format import format_duration, format_timestamp

_WRITE_SECONDS = 30.0
_HEADINGS = ("TOPIC", "STATE", "SINCE", "BY", "MESSAGE", "ATTEMPTS", "ERROR")
_RESULT_SECONDS = 15.0
_RESULTS = {
    Outcome.HANDLED: "was handled",
    Outcome.SKIPPED: "was skipped",
    Outcome.DEAD_LETTERED: "was written to the dead-letter topic",
    Outcome.FINISHED: "was finished before",
    Outcome.HALTED: "failed again and halts the topic",
}
_PENDING = {
    ResumeAction.RETRY: "is to be retried; no worker has finished it yet",
    ResumeAction.SKIP: "is to be skipped; no worker has done so yet",
    ResumeAction.DEAD_LETTER: "is to be written to the dead-letter topic; no worker has done so yet",
}

_BY = click.option("--by", help="The operator, for the halt log; by default the name of this machine.")


def halts(operations: Operations) -> click.Command:
    """Return the command that lists halts."""

    @click.command("halts", short_help="List the halted topics.")
    @click.option("--all", is_flag=True, hidden=True, expose_value=False)  # scripts may have it; all is the default now
    @json_option
    def command(*, as_json: bool) -> None:
        """List the halted topics with time, operator or worker, and every failed message until it is settled."""
        run(operations, _list(operations, as_json=as_json))

    return command


def halt(operations: Operations) -> click.Command:
    """Return the command that halts a topic."""

    @click.command("halt", short_help="Halt a topic.")
    @click.argument("base_name")
    @_BY
    def command(base_name: str, by: str | None) -> None:
        """Halt a topic: no worker of the consumer group accepts further messages of it."""
        run(operations, _halt(operations, base_name_of(operations, base_name), by or operations.operator))

    return command


def resume(operations: Operations) -> click.Command:
    """Return the command that resumes a topic."""

    @click.command("resume", short_help="Resume a topic.")
    @click.argument("base_name")
    @click.option(
        "--action",
        type=click.Choice([action.value for action in ResumeAction]),
        default=ResumeAction.RETRY.value,
        show_default=True,
        help="What the workers do with the failed messages that halted the topic.",
    )
    @click.option(
        "--wait",
        type=click.FloatRange(min=0),
        default=_RESULT_SECONDS,
        show_default=True,
        help="The seconds to wait for what becomes of the failed messages.",
    )
    @_BY
    def command(base_name: str, action: str, wait: float, by: str | None) -> None:
        """Resume a topic on all workers of the consumer group, and print what became of its failed messages."""
        topic, operator = base_name_of(operations, base_name), by or operations.operator
        run(operations, _resume(operations, topic, action=ResumeAction(action), by=operator, wait=wait))

    return command


@dataclass(frozen=True)
class _Line:
    """A halted topic with its failed messages, or a failed message with the action of a resume."""

    topic: str
    halted: bool
    since: float
    by: str
    action: str | None
    failed_messages: tuple[FailedMessage, ...]

    def to_json(self) -> dict[str, Any]:
        """Return the line as an object for scripts."""
        failed_messages = [vars(failed) for failed in self.failed_messages]
        return {**vars(self), "since": format_timestamp(self.since), "failed_messages": failed_messages}

    def rows(self, now: float) -> list[tuple[object, ...]]:
        """Return the rows of the table: one per failed message, or a single one where an operator halted the topic."""
        state = "halted" if self.halted else f"resumed: {self.action}"
        since = f"{format_timestamp(self.since)} ({format_duration(now - self.since)})"
        cells: list[tuple[object, ...]] = [
            (f"[{failed.partition}]@{failed.offset}", failed.attempts, failed.error) for failed in self.failed_messages
        ]
        return [(self.topic, state, since, self.by, *each) for each in cells or [("-", "-", "-")]]


async def _list(operations: Operations, *, as_json: bool) -> None:
    async with operations.halt_coordinator() as coordinator:
        topics = coordinator.table.topics()
        lines = [line for topic in topics for line in _lines(coordinator, topic)]
    if as_json:
        for line in lines:
            print_json(line.to_json())
    elif lines:
        now = time.time()
        print_table(_HEADINGS, [row for line in lines for row in line.rows(now)])
    else:
        click.echo(f"No topic is halted for the consumer group {operations.group}.")


def _lines(coordinator: HaltCoordinator, topic: str) -> Iterator[_Line]:
    if (halt := coordinator.current_halt(topic)) is not None:
        yield _Line(topic, halted=True, since=halt.since, by=halt.by, action=None, failed_messages=halt.causes)
    for record in coordinator.resumed_messages(topic):
        if record.action is not None and record.cause is not None:
            action, failed = record.action.value, record.cause
            yield _Line(topic, halted=False, since=record.since, by=record.by, action=action, failed_messages=(failed,))


async def _halt(operations: Operations, base_name: str, by: str) -> None:
    async with operations.halt_coordinator() as coordinator:
        if (halt := coordinator.current_halt(base_name)) is not None:
            click.echo(f"{base_name} is halted already, since {format_timestamp(halt.since)}, by {halt.by}.")
            return
        change = partial(coordinator.halt, base_name, by=by)
        await _write(lambda on_written: change(on_written=on_written))
    click.echo(f"{base_name} is halted.")


async def _resume(operations: Operations, base_name: str, *, action: ResumeAction, by: str, wait: float) -> None:
    async with operations.halt_coordinator() as coordinator:
        if not coordinator.table.records(base_name):
            click.echo(f"{base_name} is not halted.")
            return
        resume = coordinator.resume(base_name, by=by, action=action)
        await _wait_until_written(resume.written)
        click.echo(f"{base_name} is resumed.")
        for each in await resume.wait(wait):
            _print_result(each, action)


def _print_result(result: ResumeResult, action: ResumeAction) -> None:
    what = _RESULTS.get(result.outcome, _PENDING[action])
    error = "" if result.error is None else f": {result.error}"
    click.echo(printable(f"The message at [{result.failed.partition}]@{result.failed.offset} {what}{error}"))


async def _write(change: Callable[[Callable[[], None]], None]) -> None:
    written = asyncio.Event()
    change(written.set)
    await _wait_until_written(written)


async def _wait_until_written(written: asyncio.Event) -> None:
    try:
        await asyncio.wait_for(written.wait(), _WRITE_SECONDS)
    except asyncio.TimeoutError:
        raise KafkaTimeoutError(f"the change could not be written within {_WRITE_SECONDS:g} s") from None
