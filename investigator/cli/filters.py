# SPDX-License-Identifier: GPL-3.0-or-later
"""Which dead letters a command is about: a predicate, and the options that tell it."""

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
    """What all of these say about a dead letter must be true; what is None says nothing.

    Args:
        partition: it lies in this partition of the dead-letter topic.
        offsets: between these offsets there, both included; the second one may be open.
        error: its error's text or class, or the class of that error's cause, contains this; upper or lower case.
        since: it was given up then or later, in seconds since 1970.
        until: it was given up before then.
        fields: its value is a JSON object with these values; a dot in a name leads into an object in the object.
    """

    partition: int | None = None
    offsets: tuple[int, int | None] | None = None
    error: str | None = None
    since: float | None = None
    until: float | None = None
    fields: tuple[tuple[str, str], ...] = ()

    @property
    def is_everything(self) -> bool:
        """Whether nothing is left out."""
        return self == DeadLetterFilter()

    def __contains__(self, letter: DeadLetter) -> bool:
        """Tell whether the dead letter is meant."""
        return (
            self._is_at(letter.position.partition, letter.position.offset)
            and self._is_in_time(letter.position.timestamp_ms / 1000)
            and self._has_error(letter)
            and (not self.fields or self._has_fields(letter.value))
        )

    def _is_at(self, partition: int, offset: int) -> bool:
        first, last = self.offsets or (0, None)
        return self.partition in (None, partition) and first <= offset and (last is None or offset <= last)

    def _is_in_time(self, at: float) -> bool:
        return (self.since is None or at >= self.since) and (self.until is None or at < self.until)

    def _has_error(self, letter: DeadLetter) -> bool:
        texts = (letter.error, letter.error_class, letter.cause_class)
        return self.error is None or any(self.error.casefold() in text.casefold() for text in texts)

    def _has_fields(self, value: bytes | None) -> bool:
        try:
            content = json.loads(value or b"")
        except (ValueError, RecursionError):
            return False
        return all(_field(content, name) == text for name, text in self.fields)


async def matching(box: DeadLetterStore, twin: str, selection: DeadLetterFilter) -> AsyncGenerator[DeadLetter, None]:
    """Give the dead letters of a topic that are meant."""
    first, last = selection.offsets or (0, None)
    async with aclosing(box.read(twin, selection.partition, first, last)) as letters:
        async for letter in letters:
            if letter in selection:
                yield letter


def _field(content: object, name: str) -> str | None:
    for part in name.split("."):
        if not isinstance(content, dict) or part not in content:
            return None
        content = content[part]
    return content if isinstance(content, str) else json.dumps(content)


class TimeParam(click.ParamType):
    """A point in time: `2024-05-01T12:00` (UTC unless it says otherwise), or so long ago: `90s`, `15m`, `2h`, `3d`."""

    name = "time"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:  # noqa: ANN401  click's signature
        """Give it in seconds since 1970."""
        if isinstance(value, float):
            return value
        if ago := _AGO.fullmatch(value):
            return time.time() - float(ago[1]) * _UNITS[ago[2]]
        try:
            moment = datetime.fromisoformat(value.replace("Z", "+00:00"))
        except ValueError:
            self.fail(f"{value!r} is neither like 2024-05-01T12:00 nor like 15m, 2h or 3d.", param, ctx)
        return (moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc)).timestamp()


class Offsets(click.ParamType):
    """One offset, `12`, or a range with both ends in it, `12-30`, or one without an end, `12-`."""

    name = "offset"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[int, int | None]:  # noqa: ANN401  click's signature
        """Give the first and the last offset; None is no last one."""
        if isinstance(value, tuple):
            return value
        if not (match := _OFFSETS.fullmatch(value)):
            self.fail(f"{value!r} is neither an offset, like 12, nor a range, like 12-30 or 12-.", param, ctx)
        first, dash, last = match.groups()
        return int(first), int(last) if last else None if dash else int(first)


class Field(click.ParamType):
    """A field of the value and what it holds: `package_name=flask`."""

    name = "name=value"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, str]:  # noqa: ANN401  click's signature
        """Give the name and the value."""
        if isinstance(value, tuple):
            return value
        name, separator, text = value.partition("=")
        if not (name and separator):
            self.fail(f"{value!r} is not like name=value.", param, ctx)
        return name, text


_OPTIONS = (
    click.option("--partition", type=click.IntRange(min=0), help="The partition of the dead-letter topic."),
    click.option("--offset", "offsets", type=Offsets(), help="An offset there, or a range: 12, 12-30, 12-."),
    click.option("--error", help="A part of the error's text or class, upper or lower case."),
    click.option("--since", type=TimeParam(), help="Given up since then: 2h (ago), or 2024-05-01T12:00 in UTC."),
    click.option("--until", type=TimeParam(), help="Given up before then."),
    click.option("--field", "fields", type=Field(), multiple=True, help="A field of the value: package_name=flask."),
)


def selection_options(command: F) -> F:
    """Add the options to a command; `DeadLetterFilter(**options)` makes what they say of them."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command
