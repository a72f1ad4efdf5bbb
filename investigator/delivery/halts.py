# SPDX-License-Identifier: GPL-3.0-or-later
"""The halts of topics: since when, by whom, over which messages, and what an operator decided about these messages.

The state is event-sourced from a compacted topic that all workers read in the same order; for each key the latest
record wins. There is one key for each message that halted its topic, and one for each topic that an operator halted.
So no worker overwrites what another one wrote about another message, and a worker that has read the topic to its end
knows everything that the others know, even after a restart.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from enum import Enum
from typing import Any, NamedTuple

from investigator.delivery.origin import MessagePosition


class ResumeAction(str, Enum):
    """What a resume does with the messages that halted the topic."""

    RETRY = "retry"
    SKIP = "skip"
    DEAD_LETTER = "dead-letter"


class HaltKey(NamedTuple):
    """The key of a halt record: a topic and a message in it, or the topic alone for an operator's own halt."""

    topic: str
    position: MessagePosition | None = None


@dataclass(frozen=True)
class FailedMessage:
    """A message that failed and halted its topic: its position, its last error, and its number of attempts."""

    partition: int
    offset: int
    timestamp_ms: int
    error: str
    attempts: int

    @property
    def position(self) -> MessagePosition:
        """The position of the message in its topic."""
        return MessagePosition(self.partition, self.offset, self.timestamp_ms)


@dataclass(frozen=True)
class HaltRecord:
    """One record of the log: a reason to halt a topic, or the decision about the message that halted it.

    Args:
        since: the time of the halt or decision, in seconds since 1970.
        by: the worker or operator that made it.
        cause: the failed message; None if an operator halted the topic.
        action: the decision about the message; None for as long as it halts the topic.
    """

    since: float
    by: str
    cause: FailedMessage | None = None
    action: ResumeAction | None = None

    @property
    def halts(self) -> bool:
        """Whether the record is a reason to halt the topic."""
        return self.action is None

    def to_json(self) -> bytes:
        """Return the value of the record in the log."""
        return json.dumps(asdict(self)).encode()

    @classmethod
    def from_json(cls, value: bytes) -> "HaltRecord":
        """Read the value of a record; raise ValueError, KeyError or TypeError if it is no halt record."""
        content: dict[str, Any] = json.loads(value)
        cause = None if content["cause"] is None else FailedMessage(**content["cause"])
        action = None if content["action"] is None else ResumeAction(content["action"])
        return cls(content["since"], content["by"], cause, action)


@dataclass(frozen=True)
class Halt:
    """A halted topic.

    Args:
        topic: its base name.
        since: the time of the first reason that still holds, in seconds since 1970.
        by: the worker or operator that gave that reason.
        causes: the failed messages over which it is halted; empty if only an operator halted it.
    """

    topic: str
    since: float
    by: str
    causes: tuple[FailedMessage, ...]


def summarize(topic: str, records: Iterable[HaltRecord]) -> Halt | None:
    """Return the halt that the records of a topic add up to; None if the topic is not halted."""
    reasons = sorted((record for record in records if record.halts), key=lambda record: record.since)
    if not reasons:
        return None
    causes = tuple(reason.cause for reason in reasons if reason.cause is not None)
    return Halt(topic, reasons[0].since, reasons[0].by, causes)


class HaltTable:
    """The latest record of each key, as far as the log has been read."""

    def __init__(self) -> None:
        self._records: dict[str, dict[MessagePosition | None, HaltRecord]] = {}

    def apply(self, key: HaltKey, record: HaltRecord | None) -> None:
        """Apply the next record of the log; None deletes the key."""
        records = self._records.setdefault(key.topic, {})
        records.pop(key.position, None)
        if record is not None:
            records[key.position] = record

    def topics(self) -> list[str]:
        """Return the topics that have records, in alphabetical order."""
        return sorted(topic for topic, records in self._records.items() if records)

    def records(self, topic: str) -> Mapping[MessagePosition | None, HaltRecord]:
        """Return the records of a topic by their position; that of an operator's own halt has the position None."""
        return self._records.get(topic, {})

    def decision_for(self, key: HaltKey) -> tuple[ResumeAction, FailedMessage] | None:
        """Return what an operator decided about a message when resuming its topic; None if nothing."""
        record = self.records(key.topic).get(key.position)
        if record is None or record.action is None or record.cause is None:
            return None
        return record.action, record.cause
