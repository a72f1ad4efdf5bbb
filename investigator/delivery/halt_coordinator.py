# SPDX-License-Identifier: GPL-3.0-or-later
"""The halt coordinator: one worker's part in the halts of its group, and the way for operators to change them."""

import asyncio
import logging
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial

from investigator.delivery.halts import (
    FailedMessage,
    Halt,
    HaltKey,
    HaltRecord,
    HaltTable,
    LogEntry,
    Outcome,
    ResumeAction,
    Settlement,
    summarize,
)
from investigator.delivery.origin import MessagePosition
from investigator.delivery.ports import HaltLog
from investigator.delivery.resume import Resume, Resumes

_LOGGER = logging.getLogger(__name__)

_IGNORED = "Ignored a decision about a message that had not failed topic=%s position=%s action=%s log_offset=%d"


@dataclass
class _UnreadHalt:
    record: HaltRecord
    offset: int | None = None


def _do_nothing() -> None:
    """Do nothing when the record is written: the caller does not wait for it."""


class HaltCoordinator:
    """Knows which topics are halted: those that this worker halted, at once, and the others as the log says.

    Args:
        log: makes halts known to the group.
        worker: the name of this worker, for the records.
        clock: returns the seconds since 1970.
        full_name: returns the full name of a topic by its base name.
    """

    def __init__(
        self, log: HaltLog, worker: str, clock: Callable[[], float], full_name: Callable[[str], str] = str
    ) -> None:
        self.full_name = full_name
        self.table = HaltTable()
        #: Set when the log was read to its end for the first time; until then it is unknown which topics are halted.
        self.synced = asyncio.Event()
        self._log = log
        self._worker = worker
        self._clock = clock
        self._listeners: list[Callable[[str], None]] = []
        #: Halts of this worker that it has not read back from the log yet.
        self._unread_halts: dict[HaltKey, _UnreadHalt] = {}
        #: Keys that this worker has cleared and not read back from the log yet.
        self._clearing: set[HaltKey] = set()
        self._read_up_to = -1
        #: What to call once the log was read up to an offset.
        self._on_read: list[tuple[int, Callable[[], None]]] = []
        #: How this worker finished failed messages whose records are not cleared yet.
        self._outcomes: dict[HaltKey, Outcome] = {}
        self._resumes = Resumes(log, self.table, clock)

    def add_listener(self, listener: Callable[[str], None]) -> None:
        """Call the listener with a topic whenever the state of the topic may have changed."""
        self._listeners.append(listener)

    def is_halted(self, topic: str) -> bool:
        """Return whether the topic is halted."""
        return any(record.halts for record in self._records(topic).values())

    def current_halt(self, topic: str) -> Halt | None:
        """Return the halt of a topic, with halts of this worker that are not in the log yet; None if not halted."""
        return summarize(topic, self._records(topic).values())

    def halted_topics(self, topics: Iterable[str]) -> list[str]:
        """Return which of the topics are halted."""
        return [topic for topic in topics if self.is_halted(topic)]

    def resumed_messages(self, topic: str) -> list[HaltRecord]:
        """Return the decisions of resumes about messages that are not settled yet."""
        return [record for record in self._records(topic).values() if not record.halts]

    def is_resumed(self, topic: str, position: MessagePosition) -> bool:
        """Return whether an operator resumed this failed message, even if its topic is halted over another one.

        An operator's own halt of the topic delays retries, but no other decision.
        """
        records = self._records(topic)
        record = records.get(position)
        if record is None or record.halts:
            return False
        return record.action is not ResumeAction.RETRY or None not in records

    def decision_for(self, topic: str, position: MessagePosition) -> tuple[ResumeAction, FailedMessage] | None:
        """Return what an operator decided to do with a message instead of processing it; None to process it."""
        record = self.table.records(topic).get(position)
        if record is None or record.cause is None or record.action in (None, ResumeAction.RETRY):
            return None
        return ResumeAction(record.action), record.cause

    def halt(
        self,
        topic: str,
        *,
        by: str | None = None,
        cause: FailedMessage | None = None,
        on_written: Callable[[], None] = _do_nothing,
    ) -> None:
        """Halt a topic for the whole group: on this worker at once, on the others when they have read the record.

        Args:
            topic: the base name of the topic.
            by: the operator that halts it; None for this worker.
            cause: the failed message over which it is halted, if any.
            on_written: called when the log has the record, so that the halt outlives this worker.
        """
        key = HaltKey(topic, None if cause is None else cause.position)
        unread = self._unread_halts[key] = _UnreadHalt(HaltRecord(self._clock(), by or self._worker, cause))
        self._log.publish(key, unread.record, partial(self._on_halt_written, unread, on_written))
        self._notify_listeners(topic)

    def _on_halt_written(self, unread: _UnreadHalt, on_written: Callable[[], None], offset: int) -> None:
        unread.offset = offset
        self._forget_read_halts()
        on_written()

    def resume(
        self,
        topic: str,
        *,
        by: str,
        action: ResumeAction = ResumeAction.RETRY,
        on_written: Callable[[], None] = _do_nothing,
    ) -> Resume:
        """Resume a topic for the whole group, with a decision about every failed message that is not settled.

        The log may contain halts this worker has not read yet. We therefore append the resume record first; once we
        read it back, we have read every halt written before it.

        Args:
            topic: the base name of the topic.
            by: the operator that resumes it.
            action: what to do with the messages.
            on_written: called when the log has all records of the resume.

        Returns:
            What becomes of the messages.
        """
        resume = self._resumes.start(topic, on_written)
        decide = partial(self._resumes.decide, resume, by, action)
        self._log.publish(HaltKey(topic), None, partial(self._call_when_read, decide))
        return resume

    def _call_when_read(self, callback: Callable[[], None], offset: int) -> None:
        self._on_read.append((offset, callback))
        self._run_due_callbacks()

    def record_outcome(self, topic: str, position: MessagePosition, outcome: Outcome) -> None:
        """Record how this worker finished a message, for the operator who resumed it, until `clear` writes it."""
        if position in self._records(topic):
            self._outcomes[HaltKey(topic, position)] = outcome

    def clear(self, topic: str, position: MessagePosition) -> None:
        """Delete the record about a message whose offset is committed, so that the log does not grow.

        Until the commit, the record stays: after a crash, the next owner of the message has to follow the decision.
        """
        key = HaltKey(topic, position)
        if position in self.table.records(topic) and key not in self._clearing:
            self._clearing.add(key)
            settlement = Settlement(self._outcomes.get(key, Outcome.FINISHED))
            self._log.publish(key, settlement, lambda _offset: None)

    def apply(self, key: HaltKey, entry: LogEntry, offset: int) -> None:
        """Apply the next entry of the log, read at that offset."""
        if not self.table.apply(key, entry, offset) and isinstance(entry, HaltRecord):
            _LOGGER.warning(_IGNORED, key.topic, key.position, entry.action, offset)
        self._clearing.discard(key)
        if not isinstance(entry, HaltRecord):
            self._outcomes.pop(key, None)
        self._resumes.observe(key, entry)
        self.record_read(offset)
        self._notify_listeners(key.topic)

    def record_read(self, offset: int) -> None:
        """Record that the log was read up to this offset."""
        self._read_up_to = offset
        self.table.record_read(offset)
        self._forget_read_halts()
        self._run_due_callbacks()

    def _records(self, topic: str) -> Mapping[MessagePosition | None, HaltRecord]:
        if not self._unread_halts:  # nearly always, and this is called several times for every message
            return self.table.records(topic)
        own = {key.position: unread.record for key, unread in self._unread_halts.items() if key.topic == topic}
        return {**self.table.records(topic), **own}

    def _forget_read_halts(self) -> None:
        # Once the log was read up to the halt, the table decides: it has the halt, or a later record of the key.
        read = [key for key, unread in self._unread_halts.items() if self._is_read(unread.offset)]
        for key in read:
            del self._unread_halts[key]
            self._notify_listeners(key.topic)

    def _run_due_callbacks(self) -> None:
        due = [callback for offset, callback in self._on_read if self._is_read(offset)]
        self._on_read = [(offset, callback) for offset, callback in self._on_read if not self._is_read(offset)]
        for callback in due:
            callback()

    def _is_read(self, offset: int | None) -> bool:
        return offset is not None and offset <= self._read_up_to

    def _notify_listeners(self, topic: str) -> None:
        for listener in self._listeners:
            listener(topic)
