# SPDX-License-Identifier: GPL-3.0-or-later
"""The halts of topics: since when, by whom, over which messages, and what an operator decided about these messages.

The state is event-sourced from a compacted topic that all workers read in the same order; for each key the latest
record wins. There is one key for each message that halted its topic, and one for each topic that an operator halted.
So no worker overwrites what another one wrote about another message, and a worker that has read the topic to its end
knows everything that the others know, even after a restart.
"""

from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from enum import Enum
from typing import NamedTuple

from investigator.delivery.origin import MessagePosition

# The table remembers the offsets of this number of failures, to tell a late decision from one written in advance.
_REMEMBERED_FAILURES = 10_000


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
        failure_offset: the offset in the log of the record of the failure. A decision names it, because compaction
            may remove that record; the record of a failure has it once it was read.
    """

    since: float
    by: str
    cause: FailedMessage | None = None
    action: ResumeAction | None = None
    failure_offset: int | None = None

    @property
    def halts(self) -> bool:
        """Whether the record is a reason to halt the topic."""
        return self.action is None

    @property
    def is_undecided_failure(self) -> bool:
        """Whether the record is that of a failed message without a decision."""
        return self.halts and self.cause is not None


class Outcome(str, Enum):
    """What became of a failed message.

    PENDING: no worker has finished it yet. FINISHED: it was finished already, by an owner that did not record how.
    """

    PENDING = "pending"
    HANDLED = "handled"
    SKIPPED = "skipped"
    DEAD_LETTERED = "dead-lettered"
    FINISHED = "finished before"
    HALTED = "halted again"


@dataclass(frozen=True)
class Settlement:
    """A tombstone of the log: the failed message is settled, so its key is deleted."""

    outcome: Outcome


#: What the log may say about a key: a record, that its message is settled, or that nothing is known any more.
LogEntry = HaltRecord | Settlement | None


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


class _ReadOffsets:
    """Which offsets of the log were read, and which of them held the failure of a message."""

    def __init__(self) -> None:
        self._next = 0
        #: Start and end of the ranges of offsets that compaction had removed before they could be read.
        self._gaps: list[tuple[int, int]] = []
        self._failures: OrderedDict[int, HaltKey] = OrderedDict()
        self._forgotten_before = 0

    def note(self, offset: int) -> None:
        """Record that the log was read up to this offset."""
        if offset > self._next:
            self._gaps.append((self._next, offset))
        self._next = max(self._next, offset + 1)

    def note_failure(self, key: HaltKey, offset: int) -> None:
        """Record that this offset held the failure of a message."""
        self._failures[offset] = key
        if len(self._failures) > _REMEMBERED_FAILURES:
            oldest, _ = self._failures.popitem(last=False)
            self._forgotten_before = oldest + 1

    def may_be_failure(self, key: HaltKey, offset: int) -> bool:
        """Return whether the offset held a failure of the message, as far as that is known."""
        if not 0 <= offset < self._next:
            return False
        return offset < self._forgotten_before or self._failures.get(offset) == key or self._is_in_gap(offset)

    def _is_in_gap(self, offset: int) -> bool:
        index = bisect_right(self._gaps, (offset, self._next)) - 1
        return index >= 0 and self._gaps[index][0] <= offset < self._gaps[index][1]


class HaltTable:
    """The latest record of each key, as far as the log has been read."""

    def __init__(self) -> None:
        self._records: dict[str, dict[MessagePosition | None, HaltRecord]] = {}
        self._read = _ReadOffsets()

    def record_read(self, offset: int) -> None:
        """Record that the log was read up to this offset."""
        self._read.note(offset)

    def apply(self, key: HaltKey, entry: LogEntry, offset: int) -> bool:
        """Apply the next entry of the log; return False for a decision about a message that had not failed."""
        self.record_read(offset)
        if isinstance(entry, HaltRecord) and not (entry.halts or self._has_failed(key, entry)):
            return False
        records = self._records.setdefault(key.topic, {})
        records.pop(key.position, None)
        if isinstance(entry, HaltRecord):
            records[key.position] = self._noted(key, entry, offset)
        if not records:
            del self._records[key.topic]
        return True

    def _noted(self, key: HaltKey, record: HaltRecord, offset: int) -> HaltRecord:
        if not record.is_undecided_failure:
            return record
        self._read.note_failure(key, offset)
        return replace(record, failure_offset=offset)

    def _has_failed(self, key: HaltKey, decision: HaltRecord) -> bool:
        if key.position in self.records(key.topic):
            return True
        offset = decision.failure_offset
        return offset is not None and self._read.may_be_failure(key, offset)

    def topics(self) -> list[str]:
        """Return the topics that have records, in alphabetical order."""
        return sorted(self._records)

    def records(self, topic: str) -> Mapping[MessagePosition | None, HaltRecord]:
        """Return the records of a topic by their position; that of an operator's own halt has the position None."""
        return self._records.get(topic, {})
