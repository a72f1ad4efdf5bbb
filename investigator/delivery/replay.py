# SPDX-License-Identifier: GPL-3.0-or-later
"""Dead letters on their way back: what their headers tell, and the headers with which they are sent again."""

from dataclasses import dataclass, replace
from enum import Enum
from functools import cached_property

from investigator.delivery.dead_letters import (
    ATTEMPTS,
    EXCEPTION,
    GROUP,
    REPLAYED_FOR,
    REPLAYS,
    Headers,
    dead_letter_topic,
    original_origin,
)
from investigator.delivery.origin import Origin


@dataclass(frozen=True)
class DeadLetter:
    """A record of a dead-letter topic.

    Args:
        place: where it lies, and when it was written.
        key: the key of the message that was given up.
        value: its value.
        headers: its headers, with those that say where it came from and why it was given up.
    """

    position: Origin
    key: bytes | None
    value: bytes | None
    headers: Headers

    def slim(self) -> "DeadLetter":
        """Give the same dead letter without what takes the most room: its value and the trace of its error."""
        headers = tuple(header for header in self.headers if header[0] != f"{EXCEPTION}stacktrace")
        return replace(self, value=None, headers=headers)

    @cached_property
    def original(self) -> Origin | None:
        """Where the message first lay; None where it is not the worker that wrote it."""
        return original_origin(self.headers)

    @cached_property
    def group(self) -> str:
        """The consumer group that gave it up."""
        return self._text(GROUP)

    @cached_property
    def error_class(self) -> str:
        """The class of the error over which it was given up, with its module."""
        return self._text(f"{EXCEPTION}fqcn")

    @cached_property
    def cause_class(self) -> str:
        """The class of what caused that error; empty where nothing did."""
        return self._text(f"{EXCEPTION}cause-fqcn")

    @cached_property
    def error(self) -> str:
        """What the error said."""
        return self._text(f"{EXCEPTION}message")

    @cached_property
    def trace(self) -> str:
        """Where the error was raised, or the end of that."""
        return self._text(f"{EXCEPTION}stacktrace")

    @cached_property
    def attempts(self) -> int:
        """How often it was tried the last time."""
        return self._number(ATTEMPTS)

    @cached_property
    def replays(self) -> int:
        """How often it has been sent again before."""
        return self._number(REPLAYS)

    @cached_property
    def _content(self) -> dict[str, bytes]:
        return {name: content or b"" for name, content in self.headers}

    def _text(self, name: str) -> str:
        return self._content.get(name, b"").decode("utf-8", "replace")

    def _number(self, name: str) -> int:
        return int.from_bytes(self._content.get(name, b""), "big")


def replay_headers(letter: DeadLetter, group: str | None) -> Headers:
    """Make the headers of a replay: those of the dead letter without its error, with its replays counted up.

    Args:
        letter: the dead letter.
        group: the consumer group that is to handle it while all others pass it over; None for every group.
    """
    kept = tuple(header for header in letter.headers if not _is_failure_header(header[0]))
    count = (REPLAYS, (letter.replays + 1).to_bytes(4, "big"))
    return (*kept, count) if group is None else (*kept, count, (REPLAYED_FOR, group.encode()))


def _is_failure_header(name: str) -> bool:
    return name in (ATTEMPTS, REPLAYS, REPLAYED_FOR) or name.startswith(EXCEPTION)


def is_addressed_to(group: str, headers: Headers) -> bool:
    """Tell whether the group is to handle the message: all are, unless it is a replay for one of them."""
    wanted = dict(headers).get(REPLAYED_FOR)
    return wanted is None or wanted == group.encode()


class Verdict(str, Enum):
    """What becomes of a dead letter that was picked for a replay."""

    SEND = "to be sent"
    SENT_BEFORE = "sent again before"
    TOO_OFTEN = "sent again too often"
    OTHER_GROUP = "given up by another group"
    UNKNOWN_ORIGIN = "not written by a worker"


@dataclass(frozen=True)
class ReplayPolicy:
    """Which of the picked dead letters are sent again.

    Args:
        group: the consumer group whose dead letters these are.
        any_group: send those of other groups too, and let every group handle them.
        again: send also what was sent before.
        max_replays: a message that came back as a dead letter so many times is not sent once more.
    """

    group: str
    any_group: bool = False
    again: bool = False
    max_replays: int = 3

    @property
    def handled_by(self) -> str | None:
        """The group that is to handle the replays; None for all."""
        return None if self.any_group else self.group

    def verdict(self, letter: DeadLetter, *, sent_before: bool) -> Verdict:
        """Decide about a dead letter."""
        if letter.original is None or dead_letter_topic(letter.original.topic) != letter.position.topic:
            return Verdict.UNKNOWN_ORIGIN
        if not self.any_group and letter.group != self.group:
            return Verdict.OTHER_GROUP
        if sent_before and not self.again:
            return Verdict.SENT_BEFORE
        return Verdict.TOO_OFTEN if letter.replays >= self.max_replays else Verdict.SEND
