# SPDX-License-Identifier: GPL-3.0-or-later
"""Which topics are halted, since when, by whom, over which messages, and what an operator decided about these.

The state lies in registers: one for each message that halted its topic, and one for each topic that an operator halted.
What is in them is told by a log that all workers of a consumer group read in the same order: the last record about a
register holds. So nobody writes over what another worker wrote about another message, any worker that has read the log
to its end knows what all others know, whatever happened to it in between, and a compacted log is enough.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from enum import Enum
from typing import Any, NamedTuple

from investigator.delivery.origin import MessagePosition


class ResumeAction(str, Enum):
    """What is to happen to the message that halted a topic."""

    RETRY = "retry"
    SKIP = "skip"
    DEAD_LETTER = "dead-letter"


class HaltKey(NamedTuple):
    """Where the log keeps what concerns one message, or what an operator did by hand where there is no place."""

    topic: str
    position: MessagePosition | None = None


@dataclass(frozen=True)
class FailedMessage:
    """A message that was given up, as a halt names it."""

    partition: int
    offset: int
    timestamp_ms: int
    error: str
    attempts: int

    @property
    def position(self) -> MessagePosition:
        """Where the message lies in its topic."""
        return MessagePosition(self.partition, self.offset, self.timestamp_ms)


@dataclass(frozen=True)
class HaltRecord:
    """What a register holds: why a topic is halted, or what was decided about the message over which it was.

    Args:
        since: when that was, in seconds since 1970.
        by: the worker or operator that did it.
        cause: the message; None where an operator halted the topic by hand.
        verb: what was decided about the message; None for as long as the topic is halted over it.
    """

    since: float
    by: str
    cause: FailedMessage | None = None
    action: ResumeAction | None = None

    @property
    def halts(self) -> bool:
        """Whether the topic is halted by this."""
        return self.action is None

    def to_json(self) -> bytes:
        """Give the entry as it stands in the log."""
        return json.dumps(asdict(self)).encode()

    @classmethod
    def from_json(cls, value: bytes) -> "HaltRecord":
        """Read an entry of the log; raises ValueError, KeyError or TypeError where it is none."""
        content: dict[str, Any] = json.loads(value)
        cause = None if content["cause"] is None else FailedMessage(**content["cause"])
        action = None if content["action"] is None else ResumeAction(content["action"])
        return cls(content["since"], content["by"], cause, action)


@dataclass(frozen=True)
class Halt:
    """A topic that is halted.

    Args:
        topic: its base name.
        since: when the first of the reasons came that still hold, in seconds since 1970.
        by: the worker or operator from which it came.
        causes: the messages over which it is halted; empty where only an operator halted it.
    """

    topic: str
    since: float
    by: str
    causes: tuple[FailedMessage, ...]


def summarize(topic: str, entries: Iterable[HaltRecord]) -> Halt | None:
    """Sum up what is known of a topic; None where it is not halted."""
    reasons = sorted((entry for entry in entries if entry.halts), key=lambda entry: entry.since)
    if not reasons:
        return None
    causes = tuple(reason.cause for reason in reasons if reason.cause is not None)
    return Halt(topic, reasons[0].since, reasons[0].by, causes)


class HaltTable:
    """All registers, as far as the log has been read."""

    def __init__(self) -> None:
        self._entries: dict[str, dict[MessagePosition | None, HaltRecord]] = {}

    def apply(self, register: HaltKey, entry: HaltRecord | None) -> None:
        """Read the next record of the log, by which the register is cleared where it holds nothing."""
        entries = self._entries.setdefault(register.topic, {})
        entries.pop(register.position, None)
        if entry is not None:
            entries[register.position] = entry

    def topics(self) -> list[str]:
        """Give the topics about which anything is known, in alphabetical order."""
        return sorted(topic for topic, entries in self._entries.items() if entries)

    def entries(self, topic: str) -> Mapping[MessagePosition | None, HaltRecord]:
        """Give what the registers of a topic hold."""
        return self._entries.get(topic, {})

    def decision(self, register: HaltKey) -> tuple[ResumeAction, FailedMessage] | None:
        """Give what was decided about a message when its topic was resumed, if anything."""
        entry = self.entries(register.topic).get(register.position)
        if entry is None or entry.action is None or entry.cause is None:
            return None
        return entry.action, entry.cause
