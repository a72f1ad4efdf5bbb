# SPDX-License-Identifier: GPL-3.0-or-later
"""The board: the halts as one worker of the group acts on them and lets its operators change them."""

import asyncio
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Protocol

from investigator.delivery.halts import FailedMessage, Halt, HaltKey, HaltRecord, HaltTable, ResumeAction, summarize
from investigator.delivery.origin import MessagePosition


class HaltLog(Protocol):
    """Where halts are made known to the whole group; what is written comes back to every worker, in one order.

    The records of one worker are written in the order in which it publishes them.
    """

    def publish(self, register: HaltKey, entry: HaltRecord | None, on_written: Callable[[int], None]) -> None:
        """Write what the register is to hold, however often that has to be tried, then tell the record's offset."""


@dataclass
class _UnreadHalt:
    entry: HaltRecord
    offset: int | None = None


def _do_nothing() -> None:
    """Nobody waits for the record to be written."""


class HaltCoordinator:
    """Keeps a topic closed from the moment this worker halts it, and else as the log says.

    Args:
        log: makes halts known to the group.
        worker: the name of this worker, for the records.
        clock: tells the seconds since 1970.
    """

    def __init__(self, log: HaltLog, worker: str, clock: Callable[[], float]) -> None:
        self.halts = HaltTable()
        #: Set when the log was read to its end for the first time; before that nobody knows what is halted.
        self.synced = asyncio.Event()
        self._log = log
        self._worker = worker
        self._clock = clock
        self._listeners: list[Callable[[str], None]] = []
        #: Halts of this worker that it has not read in the log yet.
        self._unread: dict[HaltKey, _UnreadHalt] = {}
        #: What this worker has cleared and not read in the log yet.
        self._clearing: set[HaltKey] = set()
        self._read_up_to = -1
        self._on_read: list[tuple[int, Callable[[], None]]] = []

    def add_listener(self, listener: Callable[[str], None]) -> None:
        """Tell the listener a topic whenever its state may have changed."""
        self._listeners.append(listener)

    def is_halted(self, topic: str) -> bool:
        """Tell whether the topic is halted."""
        return any(entry.halts for entry in self._entries(topic).values())

    def current(self, topic: str) -> Halt | None:
        """Give the halt of a topic, one that the log does not know yet included; None where it is not halted."""
        return summarize(topic, self._entries(topic).values())

    def halted_topics(self, topics: Iterable[str]) -> list[str]:
        """Tell which of the topics are halted."""
        return [topic for topic in topics if self.is_halted(topic)]

    def decision_for(self, topic: str, place: MessagePosition) -> tuple[ResumeAction, FailedMessage] | None:
        """Give what was decided about a message when its topic was resumed; None where it is simply to be tried."""
        return self.halts.decision(HaltKey(topic, place))

    def halt(
        self,
        topic: str,
        *,
        by: str | None = None,
        cause: FailedMessage | None = None,
        on_written: Callable[[], None] = _do_nothing,
    ) -> None:
        """Halt a topic for the whole group: here at once, elsewhere when the others have read it.

        Args:
            topic: the base name of the topic.
            by: who halts it; this worker if nobody else.
            cause: the message over which it is halted, if any.
            on_written: called when the log has it, so that it outlives this worker.
        """
        register = HaltKey(topic, None if cause is None else cause.position)
        unread = self._unread[register] = _UnreadHalt(HaltRecord(self._clock(), by or self._worker, cause))

        def note(offset: int) -> None:
            unread.offset = offset
            self._forget_synced()
            on_written()

        self._log.publish(register, unread.entry, note)
        self._notify_listeners(topic)

    def resume(
        self,
        topic: str,
        *,
        by: str,
        action: ResumeAction = ResumeAction.RETRY,
        on_written: Callable[[], None] = _do_nothing,
    ) -> None:
        """Resume a topic for the whole group, with a decision about the messages that halted it.

        These are all that the log knows by now, which may be more than this worker has read of it: so first a halt by
        hand is lifted, and when that record is met in the log, all that came before it is known too.
        """

        def lifted(offset: int) -> None:
            self._on_read.append((offset, lambda: self._decide(topic, by, action, on_written)))
            self._run_due_callbacks()

        self._log.publish(HaltKey(topic), None, lifted)

    def _decide(self, topic: str, by: str, action: ResumeAction, on_written: Callable[[], None]) -> None:
        halting = {place: entry for place, entry in self._entries(topic).items() if entry.halts and entry.cause}
        unwritten = set(halting)

        def written(place: MessagePosition | None, _offset: int) -> None:
            unwritten.discard(place)
            if not unwritten:
                on_written()

        for place, entry in halting.items():
            # Nothing to remember of a message that is simply to be tried again.
            decided = (
                None if action is ResumeAction.RETRY else replace(entry, since=self._clock(), by=by, action=action)
            )
            self._log.publish(HaltKey(topic, place), decided, partial(written, place))
        if not halting:
            on_written()

    def clear(self, topic: str, place: MessagePosition) -> None:
        """Note that the message is done with: the log need not keep what it knows about it."""
        register = HaltKey(topic, place)
        if place in self.halts.entries(topic) and register not in self._clearing:
            self._clearing.add(register)
            self._log.publish(register, None, lambda _offset: None)

    def apply(self, register: HaltKey, entry: HaltRecord | None, offset: int) -> None:
        """Read the next record of the log, which lies at that offset; no entry clears the register."""
        self.halts.apply(register, entry)
        self._clearing.discard(register)
        self.advance(offset)
        self._notify_listeners(register.topic)

    def advance(self, offset: int) -> None:
        """Note that the log was read up to this offset."""
        self._read_up_to = offset
        self._forget_synced()
        self._run_due_callbacks()

    def _entries(self, topic: str) -> Mapping[MessagePosition | None, HaltRecord]:
        if not self._unread:  # as nearly always; and every message asks several times
            return self.halts.entries(topic)
        mine = {register.position: unread.entry for register, unread in self._unread.items() if register.topic == topic}
        return {**self.halts.entries(topic), **mine}

    def _forget_synced(self) -> None:
        # What the log holds at or behind the halt's place decides, be it the halt itself or what came after it.
        read = [register for register, unread in self._unread.items() if self._is_read(unread.offset)]
        for register in read:
            del self._unread[register]
            self._notify_listeners(register.topic)

    def _run_due_callbacks(self) -> None:
        due = [then for offset, then in self._on_read if self._is_read(offset)]
        self._on_read = [(offset, then) for offset, then in self._on_read if not self._is_read(offset)]
        for then in due:
            then()

    def _is_read(self, offset: int | None) -> bool:
        return offset is not None and offset <= self._read_up_to

    def _notify_listeners(self, topic: str) -> None:
        for listener in self._listeners:
            listener(topic)
