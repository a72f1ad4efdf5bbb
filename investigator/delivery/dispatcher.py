# SPDX-License-Identifier: GPL-3.0-or-later
"""The dispatcher: the way of a message from being taken up to being finished, in parallel with others.

Read `Dispatcher._deliver` from top to bottom: a message waits for its turn among those of its key, for its topic to be
open and for a slot; it is tried; if it is given up, it is kept as a dead letter or halts its topic; only then is it
finished in the ledger, and its offset may be committed.
"""

import asyncio
import logging
from collections import defaultdict
from collections.abc import Callable, Iterable

from investigator.delivery.current_message import handle
from investigator.delivery.failure_handler import Endings
from investigator.delivery.halt_coordinator import Board
from investigator.delivery.in_flight import Hand
from investigator.delivery.ledger import Ledger, Partition, Ticket
from investigator.delivery.messages import Delivery, InHand
from investigator.delivery.notifier import Signal
from investigator.delivery.policy import DispatchPolicy
from investigator.delivery.ports import DeadLetters, Observer
from investigator.delivery.retry import Failure, attempt
from investigator.delivery.slots import Slots

__all__ = ["DispatchPolicy", "Dispatcher"]

_LOGGER = logging.getLogger(__name__)


class Dispatcher:
    """Handles what it is given, in parallel, and keeps the ledger.

    Args:
        policy: how much is taken up at once, and how often it is tried.
        board: tells which topics are halted.
        dead_letters: keeps messages that were given up.
        observer: is told what happens.
        redact: removes passwords from a text.
    """

    def __init__(
        self,
        policy: DispatchPolicy,
        board: Board,
        dead_letters: DeadLetters,
        observer: Observer,
        redact: Callable[[str], str] = str,
    ) -> None:
        self.ledger = Ledger(policy.max_ahead)
        self._policy = policy
        self._board = board
        board.listen(self._topic_changed)
        self._dead_letters = dead_letters
        self._observer = observer
        self._slots = Slots(policy.workers)
        self._hand = Hand()
        self._endings = Endings(board, dead_letters, observer, self._hand, redact)
        #: The full name of each topic of which anything was taken up.
        self._names: dict[str, str] = {}
        self._leaving: set[Partition] = set()
        self._changed: defaultdict[str, Signal] = defaultdict(Signal)

    def in_hand(self) -> list[InHand]:
        """Give all messages that were taken up and are not finished."""
        return self._hand.all()

    def _topic_changed(self, topic: str) -> None:
        # Who lost a partition may have given up a message that its new owner, who is the one to tell, has handled.
        for place in list(self._board.halts.entries(topic)):
            if place and self.ledger.is_done(Partition(self._names.get(topic, ""), place.partition), place.offset):
                self._board.settled(topic, place)
        self._changed[topic].notify()

    def _all_topics_changed(self) -> None:
        for signal in self._changed.values():
            signal.notify()

    def assign(self, partitions: Iterable[Partition]) -> None:
        """Begin to take up messages of these partitions; to be called before the first of them is offered.

        What is in hand of an earlier assignment that nobody revoked, as of a topic that was made anew, is let go.
        """
        partitions = frozenset(partitions)
        for task in self._hand.of(partitions):
            task.cancel()
        self._leaving -= partitions
        for partition in partitions:
            self.ledger.assign(partition)
        self._all_topics_changed()

    async def take(self, delivery: Delivery, *, is_current: Callable[[], bool]) -> None:
        """Take up a message as soon as there is room for it; let it go where its assignment ends meanwhile.

        Args:
            delivery: the message.
            is_current: tells whether the assignment in which the message was fetched still lasts.
        """
        page = self.ledger.page(delivery.partition)

        def is_ours() -> bool:
            return page is not None and page == self.ledger.page(delivery.partition) and is_current()

        await self._board.caught_up.wait()
        await self._changed[delivery.topic].until(lambda: not is_ours() or self._may_take(delivery))
        if is_ours() and (ticket := self.ledger.take(delivery.partition, delivery.offset)) is not None:
            self._begin(delivery, ticket)

    def _may_take(self, delivery: Delivery) -> bool:
        return (
            delivery.partition not in self._leaving
            and not self._board.is_halted(delivery.topic)
            and self._hand.number(delivery.topic) < self._policy.in_hand
            and self.ledger.has_room(delivery.partition, delivery.offset)
        )

    def _begin(self, delivery: Delivery, ticket: Ticket) -> None:
        loop = asyncio.get_running_loop()
        self._names[delivery.topic] = delivery.partition.topic
        message = InHand(delivery, ticket, self._slots.slot(), since=loop.time())
        task = loop.create_task(self._deliver(message, self._hand.follow(message)))
        self._hand.add(task, message)
        task.add_done_callback(self._end)

    def _end(self, task: asyncio.Task[None]) -> None:
        delivery = self._hand.remove(task).delivery
        self._topic_changed(delivery.topic)
        if not task.cancelled() and (error := task.exception()) is not None:
            _LOGGER.critical("an error of our own about %s", delivery.origin, exc_info=error)

    async def _deliver(self, message: InHand, predecessor: InHand | None) -> None:
        with self._observer.about(message.delivery):
            if predecessor is not None:
                await predecessor.done.wait()
            while not await self._settled(message):
                pass
            self.ledger.finish(message.ticket)
            self._board.settled(message.delivery.topic, message.delivery.place)
            self._observer.finished(message.delivery, asyncio.get_running_loop().time() - message.since)

    async def _settled(self, message: InHand) -> bool:
        """Handle the message once with all of its attempts; tell whether it is done with."""
        await self._turn(message)
        try:
            if (decision := self._board.decision(message.delivery.topic, message.delivery.place)) is not None:
                self._unpark(message)
                return await self._endings.decided(message, *decision)
            return await self._handled(message)
        except Exception as error:
            _LOGGER.exception("an error of our own, so the topic is halted")
            return self._endings.halted(message, Failure(error, attempts=0))

    async def _turn(self, message: InHand) -> None:
        self._stay(message)
        message.waits_for = "its topic to be resumed"
        await self._changed[message.delivery.topic].until(lambda: self._may_begin(message))

    def _may_begin(self, message: InHand) -> bool:
        return not self._board.is_halted(message.delivery.topic) and self._hand.is_first(message)

    def _stay(self, message: InHand) -> None:
        if message.ticket.partition in self._leaving:
            raise asyncio.CancelledError("its partition is let go, and nobody waits for those that wait")

    async def _handled(self, message: InHand) -> bool:
        message.waits_for = "a slot"
        async with message.slot:
            if not self._may_begin(message):
                return False
            self._unpark(message)
            message.failure = await self._attempts(message)
        if message.failure is not None:
            return await self._endings.given_up(message, message.failure)
        self._dead_letters.handled(message.delivery)
        return True

    async def _attempts(self, message: InHand) -> Failure | None:
        delivery = message.delivery
        message.waits_for = ""
        self._observer.started(delivery)
        succeeded = False
        try:
            if message.steps is None:
                message.steps = list(delivery.steps())
            with handle(delivery.origin, message.waiting):
                failure = await attempt(
                    message.steps,
                    self._policy.retry,
                    sleep=lambda seconds: self._pause(message, seconds),
                    on_failed_attempt=message.noting_failures(self._observer.failed_attempt),
                )
            succeeded = failure is None
            return failure
        finally:
            self._observer.ended(delivery, succeeded=succeeded)

    async def _pause(self, message: InHand, seconds: float) -> None:
        self._stay(message)
        message.waits_for = "its next attempt"
        await message.slot.sleep(seconds)
        message.waits_for = ""

    def _unpark(self, message: InHand) -> None:
        if message.is_parked:
            self._hand.unpark(message)
            self._topic_changed(message.delivery.topic)

    async def let_go(self, partitions: Iterable[Partition], grace: float) -> None:
        """Take up nothing more of these partitions; let what is worked on finish for so many seconds, then let go.

        What was finished may still be committed afterwards; `revoke` forgets the partitions.
        """
        partitions = frozenset(partitions)
        self._leaving |= partitions
        self._all_topics_changed()
        leaving = self._hand.of(partitions)
        for task, message in leaving.items():
            if not message.is_worked_on:
                task.cancel()
        working = [task for task, message in leaving.items() if message.is_worked_on]
        _, late = await asyncio.wait(working, timeout=grace) if working else (set(), set())
        for task in late:
            task.cancel()

    def revoke(self, partitions: Iterable[Partition]) -> None:
        """Forget the partitions: nothing of this assignment counts from now on."""
        for partition in partitions:
            self._leaving.discard(partition)
            self.ledger.revoke(partition)
        self._all_topics_changed()
