# SPDX-License-Identifier: GPL-3.0-or-later
"""The board: the halts as one worker of the group acts on them and lets its operators change them."""

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Protocol

from investigator.delivery.halts import Cause, Halts, State, Verb, halted, resumed


class HaltLog(Protocol):
    """Where halts are made known to the whole group; what is written comes back to every worker, in one order."""

    def publish(self, state: State, on_written: Callable[[int], None]) -> None:
        """Write the record, however often that has to be tried, then tell its offset in the log."""


@dataclass
class _Unread:
    state: State
    offset: int | None = None


def _nothing_more() -> None:
    """Nobody waits for the record to be written."""


class Board:
    """Keeps a topic closed from the moment this worker halts it, and else as the log says.

    Args:
        log: makes halts known to the group.
        worker: the name of this worker, for the records.
        clock: tells the seconds since 1970.
    """

    def __init__(self, log: HaltLog, worker: str, clock: Callable[[], float]) -> None:
        self.halts = Halts()
        #: Set when the log was read to its end for the first time; before that nobody knows what is halted.
        self.caught_up = asyncio.Event()
        self._log = log
        self._worker = worker
        self._clock = clock
        self._listeners: list[Callable[[str], None]] = []
        #: Halts of this worker that it has not read in the log yet.
        self._unread: dict[str, _Unread] = {}
        self._read_up_to = -1
        self._parked: dict[str, dict[tuple[int, int], Cause]] = {}

    def listen(self, listener: Callable[[str], None]) -> None:
        """Tell the listener a topic whenever its state may have changed."""
        self._listeners.append(listener)

    def _tell(self, topic: str) -> None:
        for listener in self._listeners:
            listener(topic)

    def current(self, topic: str) -> State | None:
        """Give the halt of a topic, one that the log does not know yet included; None where it is not halted."""
        unread = self._unread.get(topic)
        return self.halts.halt(topic) if unread is None else unread.state

    def decision(self, topic: str, place: tuple[int, int]) -> tuple[Verb, Cause] | None:
        """Give what was decided about a message when its topic was resumed; None where nothing was."""
        return self.halts.decision(topic, place)

    def halt(
        self,
        topic: str,
        *,
        by: str | None = None,
        cause: Cause | None = None,
        on_written: Callable[[], None] = _nothing_more,
    ) -> None:
        """Halt a topic for the whole group: here at once, elsewhere when the others have read it.

        Args:
            topic: the base name of the topic.
            by: who halts it; this worker if nobody else.
            cause: the message over which it is halted, if any.
            on_written: called when the log has it, so that it outlives this worker.
        """
        if cause is not None:
            self._parked.setdefault(topic, {})[cause.place] = cause
        state = halted(self.current(topic), topic, at=self._clock(), by=by or self._worker, cause=cause)
        self._unread[topic] = _Unread(state)

        def note(offset: int) -> None:
            self._note_place(state, offset)
            on_written()

        self._log.publish(state, note)
        self._tell(topic)

    def resume(
        self, topic: str, *, by: str, verb: Verb = Verb.RETRY, on_written: Callable[[], None] = _nothing_more
    ) -> None:
        """Resume a topic for the whole group, with a decision about the messages that halted it."""
        state = resumed(self.current(topic), topic, at=self._clock(), by=by, verb=verb)
        self._log.publish(state, lambda _offset: on_written())

    def unpark(self, topic: str, place: tuple[int, int]) -> None:
        """Note that this worker no longer waits for a decision about the message."""
        self._parked.get(topic, {}).pop(place, None)

    def apply(self, state: State, offset: int) -> None:
        """Read the next record of the log, which lies at that offset."""
        self.halts.apply(state)
        self._read_up_to = offset
        self._forget_read(state.topic)
        if state.halted:
            self._name_missing(state)
        self._tell(state.topic)

    def _note_place(self, state: State, offset: int) -> None:
        unread = self._unread.get(state.topic)
        if unread is not None and unread.state is state:
            unread.offset = offset
            self._forget_read(state.topic)
            self._tell(state.topic)

    def _forget_read(self, topic: str) -> None:
        # What the log holds at or behind the halt's place decides, be it the halt itself or what came after it.
        unread = self._unread.get(topic)
        if unread is not None and unread.offset is not None and unread.offset <= self._read_up_to:
            del self._unread[topic]

    def _name_missing(self, state: State) -> None:
        # Two workers that halt a topic at the same moment don't know of each other's message: the one whose message
        # the log's record misses adds it.
        missing = [cause for cause in self._parked.get(state.topic, {}).values() if not state.names(cause)]
        for cause in missing:
            state = state.naming(cause)
        if missing:
            self._log.publish(state, lambda _offset: None)

    def halted_topics(self, topics: Iterable[str]) -> list[str]:
        """Tell which of the topics are halted."""
        return [topic for topic in topics if self.current(topic) is not None]
