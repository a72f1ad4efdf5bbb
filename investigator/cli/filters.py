# SPDX-License-Identifier: GPL-3.0-or-later
"""The filter of dead letters, and the command options that define it."""

import json
import re
import time
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any, TypeVar

import click

from investigator.delivery.replay import DeadLetter
from investigator.kafka.dead_letter_store import DeadLetterStore

F = TypeVar("F", bound=Callable[..., Any])

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_AGO = re.compile(rf"(\d+(?:\.\d+)?)([{''.join(_UNITS)}])")
_OFFSETS = re.compile(r"(\d+)(?:(-)(\d+)?)?")


@dataclass(frozen=True)
class DeadLetterFilter:
    """The criteria for dead letters: a dead letter matches if it satisfies every criterion that is set.

    Args:
        partition: the partition in the dead-letter topic.
        offsets: the first and the last offset in the dead-letter topic, inclusive; None as the last one: no end.
        error: a part of the error's text or class, or of the class of its cause, in any case.
        since: the earliest time at which the message failed, inclusive, in seconds since 1970.
        until: the latest time at which the message failed, exclusive, in seconds since 1970.
        fields: names and values of fields of the message, a JSON object; a dot in a name selects a nested field.
    """

    partition: int | None = None
    offsets: tuple[int, int | None] | None = None
    error: str | None = None
    since: float | None = None
    until: float | None = None
    fields: tuple[tuple[str, str], ...] = ()

    @property
    def is_empty(self) -> bool:
        """Whether no criterion is set, so that every dead letter matches."""
        return self == DeadLetterFilter()

    def __contains__(self, dead_letter: DeadLetter) -> bool:
        """Return whether the dead letter matches."""
        return (
            self._matches_position(dead_letter.position.partition, dead_letter.position.offset)
            and self._matches_time(dead_letter.position.timestamp_ms / 1000)
            and self._matches_error(dead_letter)
            and (not self.fields or self._matches_fields(dead_letter.value))
        )

    def _matches_position(self, partition: int, offset: int) -> bool:
        first, last = self.offsets or (0, None)
        return self.partition in (None, partition) and first <= offset and (last is None or offset <= last)

    def _matches_time(self, at: float) -> bool:
        return (self.since is None or at >= self.since) and (self.until is None or at < self.until)

    def _matches_error(self, dead_letter: DeadLetter) -> bool:
        texts = (dead_letter.error, dead_letter.error_class, dead_letter.cause_class)
        return self.error is None or any(self.error.casefold() in text.casefold() for text in texts)

    def _matches_fields(self, value: bytes | None) -> bool:
        try:
            content = json.loads(value or b"")
        except (ValueError, RecursionError):
            return False
        return all(_field(content, name) == text for name, text in self.fields)


async def matching(store: DeadLetterStore, topic: str, wanted: DeadLetterFilter) -> AsyncGenerator[DeadLetter, None]:
    """Yield the dead letters of a dead-letter topic that match."""
    first, last = wanted.offsets or (0, None)
    async with aclosing(store.read(topic, wanted.partition, first, last)) as dead_letters:
        async for dead_letter in dead_letters:
            if dead_letter in wanted:
                yield dead_letter


def _field(content: object, name: str) -> str | None:
    for part in name.split("."):
        if not isinstance(content, dict) or part not in content:
            return None
        content = content[part]
    return content if isinstance(content, str) else json.dumps(content)


class TimeParam(click.ParamType):
    """A timestamp such as `2024-05-01T12:00` (UTC without an offset), or an age such as `90s`, `15m`, `2h`, `3d`."""

    name = "time"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:  # noqa: ANN401  click's signature
        """Return the timestamp in seconds since 1970."""
        if isinstance(value, float):
            return value
        if ago := _AGO.fullmatch(value):
            return time.time() - float(ago[1]) * _UNITS[ago[2]]
        try:
            timestamp = datetime.fromisoformat(value.replace("Z", "+00:00"))
        except ValueError:
            self.fail(f"{value!r} is neither like 2024-05-01T12:00 nor like 15m, 2h or 3d.", param, ctx)
        return (timestamp if timestamp.tzinfo else timestamp.replace(tzinfo=timezone.utc)).timestamp()


class Offsets(click.ParamType):
    """An offset such as `12`, an inclusive range such as `12-30`, or a range without an end such as `12-`."""

    name = "offset"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[int, int | None]:  # noqa: ANN401  click's signature
        """Return the first and the last offset; None as the last one: no end."""
        if isinstance(value, tuple):
            return value
        if not (match := _OFFSETS.fullmatch(value)):
            self.fail(f"{value!r} is neither an offset, like 12, nor a range, like 12-30 or 12-.", param, ctx)
        first, dash, last = match.groups()
        return int(first), int(last) if last else None if dash else int(first)


class Field(click.ParamType):
    """The name and the value of a field of the message: `package_name=flask`."""

    name = "name=value"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, str]:  # noqa: ANN401  click's signature
        """Return the name and the value."""
        if isinstance(value, tuple):
            return value
        name, separator, text = value.partition("=")
        if not (name and separator):
            self.fail(f"{value!r} is not like name=value.", param, ctx)
        return name, text


_OPTIONS = (
    click.option("--partition", type=click.IntRange(min=0), help="The partition in the dead-letter topic."),
    click.option(
        "--offset", "offsets", type=Offsets(), help="An offset in the dead-letter topic, or a range: 12, 12-30, 12-."
    ),
    click.option("--error", help="A part of the error's text or class, in any case."),
    click.option(
        "--since", type=TimeParam(), help="Failed at this time or later: 2h (ago), or 2024-05-01T12:00 in UTC."
    ),
    click.option("--until", type=TimeParam(), help="Failed before this time."),
    click.option(
        "--field",
        "fields",
        type=Field(),
        multiple=True,
        help="A field of the message and its value: package_name=flask.",
    ),
)


def filter_options(command: F) -> F:
    """Add the options of the filter to a command, named as the parameters of `DeadLetterFilter`."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command
