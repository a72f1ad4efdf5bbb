# SPDX-License-Identifier: GPL-3.0-or-later
"""The dispatcher: the way of a message from being taken up to being finished, in parallel with others.

Read `Dispatcher._deliver` from top to bottom: a message waits for its turn among those of its key, for its topic to be
open and for a slot; it is tried; if it is given up, it is kept as a dead letter or halts its topic; only then is it
finished in the ledger, and its offset may be committed.
"""

import asyncio
import logging
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from investigator.delivery.board import Board
from investigator.delivery.engine import Failure, RetryPolicy, attempt
from investigator.delivery.errors import PermanentError
from investigator.delivery.halts import Cause, Verb
from investigator.delivery.handling import handle
from investigator.delivery.ledger import Ledger, Partition, Ticket
from investigator.delivery.messages import Delivery, InHand
from investigator.delivery.ports import DeadLetters, Observer
from investigator.delivery.signal import Signal
from investigator.delivery.slots import Slots

_LOGGER = logging.getLogger(__name__)

# A message that was given up is woken before the others of its topic, so that a resume tries it first.
_FIRST, _LATER = 0, 1


@dataclass(frozen=True)
class DispatchPolicy:
    """How much is taken up at once.

    Args:
        workers: how many messages are worked on at once, over all topics.
        in_hand: how many messages of one topic are held in memory, worked on or waiting.
        max_ahead: how far beyond the first unfinished offset of a partition messages are taken up.
        retry: attempts and pauses.
    """

    workers: int = 20
    in_hand: int = 80
    max_ahead: int = 1000
    retry: RetryPolicy = field(default_factory=RetryPolicy)


class Dispatcher:
    """Handles what it is given, in parallel, and keeps the ledger."""

    def __init__(self, policy: DispatchPolicy, board: Board, dead_letters: DeadLetters, observer: Observer) -> None:
        self.ledger = Ledger(policy.max_ahead)
        self._policy = policy
        self._board = board
        board.listen(self._topic_changed)
        self._dead_letters = dead_letters
        self._observer = observer
        self._slots = Slots(policy.workers)
        self._tasks: dict[asyncio.Task[None], InHand] = {}
        self._per_topic: Counter[str] = Counter()
        self._last_of_key: dict[tuple[str, bytes], InHand] = {}
        self._leaving: set[Partition] = set()
        self._changed: defaultdict[str, Signal] = defaultdict(Signal)

    def in_hand(self) -> list[InHand]:
        """Give all messages that were taken up and are not finished."""
        return list(self._tasks.values())

    def _topic_changed(self, topic: str) -> None:
        self._changed[topic].notify()

    def _all_topics_changed(self) -> None:
        for signal in self._changed.values():
            signal.notify()

    def assign(self, partitions: Iterable[Partition]) -> None:
        """Begin to take up messages of these partitions."""
        for partition in partitions:
            self._leaving.discard(partition)
            self.ledger.assign(partition)
        self._all_topics_changed()

    async def take(self, delivery: Delivery, *, is_current: Callable[[], bool]) -> None:
        """Take up a message as soon as there is room for it; let it go where its assignment ends meanwhile.

        Args:
            delivery: the message.
            is_current: tells whether the assignment in which the message was fetched still lasts.
        """
        await self._board.caught_up.wait()
        changed = self._changed[delivery.topic]
        await changed.until(lambda: not is_current() or self._may_take(delivery), rank=_LATER)
        ticket = self.ledger.take(delivery.partition, delivery.offset) if is_current() else None
        if ticket is not None:
            self._begin(delivery, ticket)

    def _may_take(self, delivery: Delivery) -> bool:
        return (
            delivery.partition not in self._leaving
            and self._is_open(delivery.topic)
            and self._per_topic[delivery.topic] < self._policy.in_hand
            and self.ledger.has_room(delivery.partition, delivery.offset)
        )

    def _is_open(self, topic: str) -> bool:
        return self._board.current(topic) is None

    def _begin(self, delivery: Delivery, ticket: Ticket) -> None:
        loop = asyncio.get_running_loop()
        slot = self._slots.slot()
        message = InHand(delivery, ticket, slot, list(delivery.steps(slot)), since=loop.time())
        self._per_topic[delivery.topic] += 1
        predecessor = self._follow(message)
        task = loop.create_task(self._deliver(message, predecessor))
        self._tasks[task] = message
        task.add_done_callback(self._end)

    def _follow(self, message: InHand) -> InHand | None:
        if message.delivery.key is None:
            return None
        key = message.delivery.topic, message.delivery.key
        predecessor = self._last_of_key.get(key)
        self._last_of_key[key] = message
        return predecessor

    def _end(self, task: asyncio.Task[None]) -> None:
        message = self._tasks.pop(task)
        delivery = message.delivery
        self._per_topic[delivery.topic] -= 1
        if delivery.key is not None and self._last_of_key.get((delivery.topic, delivery.key)) is message:
            del self._last_of_key[delivery.topic, delivery.key]
        self._board.unpark(delivery.topic, delivery.place)
        message.done.set()
        self._changed[delivery.topic].notify()
        if not task.cancelled() and (error := task.exception()) is not None:
            _LOGGER.critical("message left unfinished at %s", delivery.origin, exc_info=error)

    async def _deliver(self, message: InHand, predecessor: InHand | None) -> None:
        with self._observer.about(message.delivery):
            if predecessor is not None:
                await predecessor.done.wait()
            while not await self._settled(message):
                pass
            self.ledger.finish(message.ticket)
            self._observer.finished(message.delivery, asyncio.get_running_loop().time() - message.since)

    async def _settled(self, message: InHand) -> bool:
        """Handle the message once with all of its attempts; tell whether it is done with."""
        delivery = message.delivery
        await self._topic_open(message)
        if (decision := self._board.decision(delivery.topic, delivery.place)) is not None:
            verb, cause = decision
            if verb is Verb.SKIP:
                _LOGGER.warning("skipped by an operator after %s", cause.error)
                return True
            if verb is Verb.DEAD_LETTER:
                return await self._kept(
                    message, message.failure or Failure(PermanentError(cause.error), cause.attempts)
                )
        async with message.slot:
            if not self._is_open(delivery.topic):
                return False
            message.failure = await self._attempts(message)
        if message.failure is None:
            self._dead_letters.handled(delivery)
            return True
        self._observer.gave_up(delivery, message.failure)
        if self._dead_letters.wants(delivery):
            return await self._kept(message, message.failure)
        return self._halted(message, message.failure)

    async def _topic_open(self, message: InHand) -> None:
        message.waits_for = "its topic to be resumed"
        rank = _LATER if message.failure is None else _FIRST
        topic = message.delivery.topic
        await self._changed[topic].until(lambda: self._is_open(topic), rank=rank)
        message.waits_for = "a slot"

    async def _attempts(self, message: InHand) -> Failure | None:
        delivery = message.delivery
        message.waits_for = ""
        self._observer.started(delivery)
        failure: Failure | None = None
        try:
            with handle(delivery.origin, message.slot.released):
                failure = await attempt(
                    message.steps,
                    self._policy.retry,
                    sleep=lambda seconds: self._pause(message, seconds),
                    on_failed_attempt=lambda error, failed: self._observer.failed_attempt(delivery, error, failed),
                )
            return failure
        finally:
            self._observer.ended(delivery, succeeded=failure is None)

    async def _pause(self, message: InHand, seconds: float) -> None:
        message.waits_for = "its next attempt"
        await message.slot.sleep(seconds)
        message.waits_for = ""

    async def _kept(self, message: InHand, failure: Failure) -> bool:
        message.waits_for = "its dead letter to be written"
        try:
            await self._dead_letters.keep(message.delivery, failure)
        except Exception:
            _LOGGER.exception("the dead letter could not be written, so the topic is halted")
            return self._halted(message, failure)
        return True

    def _halted(self, message: InHand, failure: Failure) -> bool:
        delivery = message.delivery
        message.failure = failure
        cause = Cause(*delivery.place, f"{type(failure.error).__name__}: {failure.error}", failure.attempts)
        self._board.halt(delivery.topic, cause=cause)
        return False

    async def let_go(self, partitions: Iterable[Partition], grace: float) -> None:
        """Take up nothing more of these partitions; let what is worked on finish for so many seconds, then let go.

        What was finished may still be committed afterwards; `revoke` forgets the partitions.
        """
        self._leaving.update(partitions)
        self._all_topics_changed()
        leaving = [
            (task, message) for task, message in self._tasks.items() if message.ticket.partition in self._leaving
        ]
        working = [task for task, message in leaving if message.slot.held]
        for task, message in leaving:
            if not message.slot.held:
                task.cancel()
        if working:
            _, late = await asyncio.wait(working, timeout=grace)
            for task in late:
                task.cancel()

    def revoke(self, partitions: Iterable[Partition]) -> None:
        """Forget the partitions: nothing of this assignment counts from now on."""
        for partition in partitions:
            self._leaving.discard(partition)
            self.ledger.revoke(partition)
        self._all_topics_changed()
