# SPDX-License-Identifier: GPL-3.0-or-later
"""Halting and resuming topics, and seeing which are halted and why."""

import asyncio
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import click

from investigator.cli.common import base_name_of, json_option, print_json, print_table, run
from investigator.cli.ports import Operations
from investigator.delivery.halt_coordinator import HaltCoordinator
from investigator.delivery.halts import FailedMessage, Halt, ResumeAction
from investigator.kafka.errors import KafkaTimeoutError
from investigator.observability.time_format import format_duration, format_timestamp

_WRITE_SECONDS = 30.0
_HEADINGS = ("TOPIC", "STATE", "SINCE", "BY", "MESSAGE", "ATTEMPTS", "ERROR")

_BY = click.option("--by", help="Who does it, for the others; by default the name of this machine.")


def halts(operations: Operations) -> click.Command:
    """Make the command that lists halts."""

    @click.command("halts", short_help="List the halted topics.")
    @click.option("--all", "every", is_flag=True, help="Also what was decided and is not done yet.")
    @json_option
    def command(*, every: bool, as_json: bool) -> None:
        """List the halted topics: since when, by whom, and over which messages."""
        run(operations, _list(operations, every=every, as_json=as_json))

    return command


def halt(operations: Operations) -> click.Command:
    """Make the command that halts a topic."""

    @click.command("halt", short_help="Halt a topic.")
    @click.argument("base_name")
    @_BY
    def command(base_name: str, by: str | None) -> None:
        """Halt a topic: no worker of the group takes up messages of it any more."""
        run(operations, _halt(operations, base_name_of(operations, base_name), by or operations.operator))

    return command


def resume(operations: Operations) -> click.Command:
    """Make the command that resumes a topic."""

    @click.command("resume", short_help="Resume a topic.")
    @click.argument("base_name")
    @click.option(
        "--action",
        type=click.Choice([action.value for action in ResumeAction]),
        default=ResumeAction.RETRY.value,
        show_default=True,
        help="What is to happen to the messages that halted it.",
    )
    @_BY
    def command(base_name: str, action: str, by: str | None) -> None:
        """Resume a topic on all workers of the group."""
        work = _resume(operations, base_name_of(operations, base_name), ResumeAction(action), by or operations.operator)
        run(operations, work)

    return command


async def _list(operations: Operations, *, every: bool, as_json: bool) -> None:
    async with operations.halt_coordinator() as halt_coordinator:
        lines = [
            line
            for topic in halt_coordinator.table.topics()
            for line in _lines(halt_coordinator, topic)
            if every or line.halted
        ]
    if as_json:
        for line in lines:
            print_json(
                {**vars(line), "since": format_timestamp(line.since), "causes": [vars(cause) for cause in line.causes]}
            )
    elif lines:
        now = time.time()
        print_table(_HEADINGS, [row for line in lines for row in _rows(line, now)])
    else:
        click.echo(f"No topic is halted for the consumer group {operations.group}.")


@dataclass(frozen=True)
class _Line:
    """What is told of a topic: that it is halted, or what was decided about a message that had halted it."""

    topic: str
    halted: bool
    since: float
    by: str
    action: str | None
    causes: tuple[FailedMessage, ...]


def _lines(halt_coordinator: HaltCoordinator, topic: str) -> Iterator[_Line]:
    if (halt := halt_coordinator.current_halt(topic)) is not None:
        yield _Line(topic, halted=True, since=halt.since, by=halt.by, action=None, causes=halt.causes)
    for entry in halt_coordinator.table.records(topic).values():
        if entry.action is not None and entry.cause is not None:
            yield _Line(
                topic, halted=False, since=entry.since, by=entry.by, action=entry.action.value, causes=(entry.cause,)
            )


def _rows(line: _Line, now: float) -> list[tuple[object, ...]]:
    what = "halted" if line.halted else f"resumed: {line.action}"
    head = (line.topic, what, f"{format_timestamp(line.since)} ({format_duration(now - line.since)})", line.by)
    return [(*head, *_cells(cause)) for cause in line.causes] or [(*head, "-", "-", "-")]


def _cells(cause: FailedMessage) -> tuple[object, ...]:
    return f"[{cause.partition}]@{cause.offset}", cause.attempts, cause.error


async def _halt(operations: Operations, base_name: str, by: str) -> None:
    async with operations.halt_coordinator() as halt_coordinator:
        if (halt := halt_coordinator.current_halt(base_name)) is not None:
            click.echo(f"{base_name} has been halted since {format_timestamp(halt.since)} by {halt.by}.")
            return
        await _written(lambda done: halt_coordinator.halt(base_name, by=by, on_written=done))
    click.echo(f"{base_name} is halted.")


async def _resume(operations: Operations, base_name: str, action: ResumeAction, by: str) -> None:
    async with operations.halt_coordinator() as halt_coordinator:
        halt = halt_coordinator.current_halt(base_name)
        if halt is None:
            click.echo(f"{base_name} is not halted.")
            return
        await _written(lambda done: halt_coordinator.resume(base_name, by=by, action=action, on_written=done))
    _say_resumed(halt, action)


def _say_resumed(halt: Halt, action: ResumeAction) -> None:
    click.echo(f"{halt.topic} is resumed.")
    what = {
        ResumeAction.RETRY: "is tried again",
        ResumeAction.SKIP: "is skipped",
        ResumeAction.DEAD_LETTER: "goes to the dead letters",
    }[action]
    for cause in halt.causes:
        click.echo(f"The message at [{cause.partition}]@{cause.offset} {what}.")


async def _written(change: Callable[[Callable[[], None]], None]) -> None:
    written = asyncio.Event()
    change(written.set)
    try:
        await asyncio.wait_for(written.wait(), _WRITE_SECONDS)
    except asyncio.TimeoutError:
        raise KafkaTimeoutError(f"the change could not be written within {_WRITE_SECONDS:g} s") from None
