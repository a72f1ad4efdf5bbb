# SPDX-License-Identifier: GPL-3.0-or-later
"""Dead letters and their replay: what the headers of a dead letter say, and which dead letters are sent again."""

from dataclasses import dataclass, replace
from enum import Enum
from functools import cached_property

from investigator.delivery.dead_letters import (
    ATTEMPTS,
    EXCEPTION,
    GROUP,
    PROOF,
    REPLAYED_FOR,
    REPLAYS,
    Headers,
    dead_letter_topic,
    origin_from_headers,
)
from investigator.delivery.origin import Origin

# A header of another size is not from a worker, and means nothing.
_INTEGER_SIZES = (4, 8)
_MAX_REPLAYS = 2**31 - 1


@dataclass(frozen=True)
class DeadLetter:
    """A record of a dead-letter topic.

    Args:
        position: its own topic and position, and when it was written.
        key: the key of the failed message.
        value: its value.
        headers: its headers, with those about its origin and its error.
    """

    position: Origin
    key: bytes | None
    value: bytes | None
    headers: Headers

    def slim(self) -> "DeadLetter":
        """Return the same dead letter without its largest parts, the value and the stack trace."""
        headers = tuple(header for header in self.headers if header[0] != f"{EXCEPTION}stacktrace")
        return replace(self, value=None, headers=headers)

    @cached_property
    def original(self) -> Origin | None:
        """The origin of the message; None if no worker wrote the dead letter."""
        return origin_from_headers(self.headers)

    @cached_property
    def group(self) -> str:
        """The consumer group in which it failed."""
        return self._text(GROUP)

    @cached_property
    def error_class(self) -> str:
        """The class of its last error, with its module."""
        return self._text(f"{EXCEPTION}fqcn")

    @cached_property
    def cause_class(self) -> str:
        """The class of the cause of that error; empty if it has none."""
        return self._text(f"{EXCEPTION}cause-fqcn")

    @cached_property
    def error(self) -> str:
        """The text of the error."""
        return self._text(f"{EXCEPTION}message")

    @cached_property
    def trace(self) -> str:
        """The stack trace of the error, or the end of it."""
        return self._text(f"{EXCEPTION}stacktrace")

    @cached_property
    def attempts(self) -> int:
        """The number of attempts before it failed last."""
        return self._number(ATTEMPTS)

    @cached_property
    def replays(self) -> int:
        """How often it was replayed before."""
        return self._number(REPLAYS)

    @cached_property
    def _content(self) -> dict[str, bytes]:
        return {name: content or b"" for name, content in self.headers}

    def _text(self, name: str) -> str:
        return self._content.get(name, b"").decode("utf-8", "replace")

    def _number(self, name: str) -> int:
        content = self._content.get(name, b"")
        return int.from_bytes(content, "big") if len(content) in _INTEGER_SIZES else 0


def replay_headers(dead_letter: DeadLetter, group: str | None) -> Headers:
    """Return the headers of a replay: those of the dead letter without its error, with one more replay counted.

    Args:
        dead_letter: the dead letter.
        group: the only consumer group that is to process it; None for every group.
    """
    own = tuple(header for header in dead_letter.headers if not _is_failure_header(header[0]))
    count = (REPLAYS, min(dead_letter.replays + 1, _MAX_REPLAYS).to_bytes(4, "big"))
    return (*own, count) if group is None else (*own, count, (REPLAYED_FOR, group.encode()))


def _is_failure_header(name: str) -> bool:
    return name in (ATTEMPTS, REPLAYS, REPLAYED_FOR, PROOF) or name.startswith(EXCEPTION)


def is_addressed_to(group: str, headers: Headers) -> bool:
    """Return whether the group is to process the message: any group, unless it is a replay for one of them."""
    addressee = dict(headers).get(REPLAYED_FOR)
    return addressee is None or addressee == group.encode()


class Verdict(str, Enum):
    """Whether a dead letter that was selected for a replay is sent, and if not, why."""

    SEND = "to be sent"
    SENT_BEFORE = "sent again before"
    TOO_OFTEN = "sent again too often"
    OTHER_GROUP = "failed in another group"
    UNKNOWN_ORIGIN = "not written by a worker"


@dataclass(frozen=True)
class ReplayPolicy:
    """Which of the selected dead letters are sent again.

    Args:
        group: the consumer group whose dead letters these are.
        any_group: also send those of other groups, for every group to process.
        again: also send those that were sent before.
        max_replays: a message that failed after this number of replays is not sent again.
    """

    group: str
    any_group: bool = False
    again: bool = False
    max_replays: int = 3

    @property
    def addressee(self) -> str | None:
        """The group that is to process the replays; None for every group."""
        return None if self.any_group else self.group

    def verdict(self, dead_letter: DeadLetter, *, sent_before: bool) -> Verdict:
        """Return whether the dead letter is sent, and if not, why."""
        if dead_letter.original is None or dead_letter_topic(dead_letter.original.topic) != dead_letter.position.topic:
            return Verdict.UNKNOWN_ORIGIN
        if not self.any_group and dead_letter.group != self.group:
            return Verdict.OTHER_GROUP
        if sent_before and not self.again:
            return Verdict.SENT_BEFORE
        return Verdict.TOO_OFTEN if dead_letter.replays >= self.max_replays else Verdict.SEND
