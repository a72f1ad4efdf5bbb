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
from functools import partial

from investigator.delivery.current_message import bind_message
from investigator.delivery.failure_handler import FailureHandler
from investigator.delivery.halt_coordinator import HaltCoordinator
from investigator.delivery.in_flight import InFlightMessages
from investigator.delivery.ledger import AckToken, Ledger, Partition
from investigator.delivery.messages import Delivery, InFlightMessage
from investigator.delivery.notifier import Notifier
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
        halt_coordinator: HaltCoordinator,
        dead_letters: DeadLetters,
        observer: Observer,
        redact: Callable[[str], str] = str,
    ) -> None:
        self.ledger = Ledger(policy.max_offset_lead)
        self._policy = policy
        self._halt_coordinator = halt_coordinator
        halt_coordinator.add_listener(self._topic_changed)
        self._dead_letters = dead_letters
        self._observer = observer
        self._slots = Slots(policy.concurrency)
        self._in_flight = InFlightMessages()
        self._failure_handler = FailureHandler(halt_coordinator, dead_letters, observer, self._in_flight, redact)
        #: The full name of each topic of which anything was taken up.
        self._names: dict[str, str] = {}
        self._draining: set[Partition] = set()
        self._changed: defaultdict[str, Notifier] = defaultdict(Notifier)

    def in_flight(self) -> list[InFlightMessage]:
        """Give all messages that were taken up and are not finished."""
        return self._in_flight.all()

    def _topic_changed(self, topic: str) -> None:
        # Who lost a partition may have given up a message that its new owner, who is the one to tell, has handled.
        for place in list(self._halt_coordinator.halts.entries(topic)):
            if place and self.ledger.is_done(Partition(self._names.get(topic, ""), place.partition), place.offset):
                self._halt_coordinator.clear(topic, place)
        self._changed[topic].notify()

    def _all_topics_changed(self) -> None:
        for signal in self._changed.values():
            signal.notify()

    def assign(self, partitions: Iterable[Partition]) -> None:
        """Begin to take up messages of these partitions; to be called before the first of them is offered.

        What is in hand of an earlier assignment that nobody revoked, as of a topic that was made anew, is let go.
        """
        partitions = frozenset(partitions)
        for task in self._in_flight.of(partitions):
            task.cancel()
        self._draining -= partitions
        for partition in partitions:
            self.ledger.assign(partition)
        self._all_topics_changed()

    async def submit(self, delivery: Delivery, *, is_consuming: Callable[[], bool]) -> None:
        """Accept a message as soon as there is room for it; drop it if its assignment ends first.

        Args:
            delivery: the message.
            is_consuming: returns False when the consumer has stopped, or has left the generation of the group in which
                it fetched the message.
        """
        is_current = partial(self._is_current, delivery, is_consuming)
        await self._halt_coordinator.synced.wait()
        await self._changed[delivery.topic].wait_for(lambda: not is_current() or self._may_accept(delivery))
        if is_current() and (ack_token := self.ledger.accept(delivery.partition, delivery.offset)) is not None:
            self._start(delivery, ack_token)

    def _is_current(self, delivery: Delivery, is_consuming: Callable[[], bool]) -> bool:
        """Return whether the assignment in which the message was fetched still lasts."""
        return self.ledger.is_current(delivery.partition, delivery.epoch) and is_consuming()

    def _may_accept(self, delivery: Delivery) -> bool:
        return (
            delivery.partition not in self._draining
            and not self._halt_coordinator.is_halted(delivery.topic)
            and self._in_flight.count(delivery.topic) < self._policy.max_in_flight
            and self.ledger.has_room(delivery.partition, delivery.offset)
        )

    def _start(self, delivery: Delivery, ack_token: AckToken) -> None:
        loop = asyncio.get_running_loop()
        self._names[delivery.topic] = delivery.partition.topic
        message = InFlightMessage(delivery, ack_token, self._slots.slot(), accepted_at=loop.time())
        task = loop.create_task(self._deliver(message, self._in_flight.queue_behind_key(message)))
        self._in_flight.add(task, message)
        task.add_done_callback(self._on_done)

    def _on_done(self, task: asyncio.Task[None]) -> None:
        delivery = self._in_flight.remove(task).delivery
        self._topic_changed(delivery.topic)
        if not task.cancelled() and (error := task.exception()) is not None:
            _LOGGER.critical("an error of our own about %s", delivery.origin, exc_info=error)

    async def _deliver(self, message: InFlightMessage, predecessor: InFlightMessage | None) -> None:
        with self._observer.context(message.delivery):
            if predecessor is not None:
                await predecessor.done.wait()
            while not await self._process(message):
                pass
            self.ledger.finish(message.ack_token)
            self._halt_coordinator.clear(message.delivery.topic, message.delivery.position)
            self._observer.finished(message.delivery, asyncio.get_running_loop().time() - message.accepted_at)

    async def _process(self, message: InFlightMessage) -> bool:
        """Handle the message once with all of its attempts; tell whether it is done with."""
        await self._wait_turn(message)
        try:
            if (
                decision := self._halt_coordinator.decision_for(message.delivery.topic, message.delivery.position)
            ) is not None:
                self._unblock(message)
                return await self._failure_handler.apply_decision(message, *decision)
            return await self._process_once(message)
        except Exception as error:
            _LOGGER.exception("an error of our own, so the topic is halted")
            return self._failure_handler.halt(message, Failure(error, attempts=0))

    async def _wait_turn(self, message: InFlightMessage) -> None:
        self._raise_if_revoked(message)
        message.waits_for = "its topic to be resumed"
        await self._changed[message.delivery.topic].wait_for(lambda: self._may_start(message))

    def _may_start(self, message: InFlightMessage) -> bool:
        return not self._halt_coordinator.is_halted(message.delivery.topic) and self._in_flight.is_first(message)

    def _raise_if_revoked(self, message: InFlightMessage) -> None:
        if message.ack_token.partition in self._draining:
            raise asyncio.CancelledError("its partition is let go, and nobody waits for those that wait")

    async def _process_once(self, message: InFlightMessage) -> bool:
        message.waits_for = "a slot"
        async with message.slot:
            if not self._may_start(message):
                return False
            self._unblock(message)
            message.failure = await self._run_attempts(message)
        if message.failure is not None:
            return await self._failure_handler.handle_exhausted(message, message.failure)
        self._dead_letters.record_success(message.delivery)
        return True

    async def _run_attempts(self, message: InFlightMessage) -> Failure | None:
        delivery = message.delivery
        message.waits_for = ""
        self._observer.started(delivery)
        succeeded = False
        try:
            if message.steps is None:
                message.steps = list(delivery.make_steps())
            with bind_message(delivery.origin, message.waiting):
                failure = await attempt(
                    message.steps,
                    self._policy.retry,
                    sleep=partial(self._pause, message),
                    on_failed_attempt=partial(self._on_failed_attempt, message),
                )
            succeeded = failure is None
            return failure
        finally:
            self._observer.stopped(delivery, succeeded=succeeded)

    def _on_failed_attempt(self, message: InFlightMessage, error: Exception, attempts: int) -> None:
        message.last_failure = Failure(error, attempts)
        self._observer.failed_attempt(message.delivery, error, attempts)

    async def _pause(self, message: InFlightMessage, seconds: float) -> None:
        self._raise_if_revoked(message)
        message.waits_for = "its next attempt"
        await message.slot.sleep(seconds)
        message.waits_for = ""

    def _unblock(self, message: InFlightMessage) -> None:
        if message.is_blocking:
            self._in_flight.unblock(message)
            self._topic_changed(message.delivery.topic)

    async def drain(self, partitions: Iterable[Partition], grace: float) -> None:
        """Take up nothing more of these partitions; let what is worked on finish for so many seconds, then let go.

        What was finished may still be committed afterwards; `revoke` forgets the partitions.
        """
        partitions = frozenset(partitions)
        self._draining |= partitions
        self._all_topics_changed()
        leaving = self._in_flight.of(partitions)
        for task, message in leaving.items():
            if not message.is_processing:
                task.cancel()
        working = [task for task, message in leaving.items() if message.is_processing]
        _, late = await asyncio.wait(working, timeout=grace) if working else (set(), set())
        for task in late:
            task.cancel()

    def revoke(self, partitions: Iterable[Partition]) -> None:
        """Forget the partitions: nothing of this assignment counts from now on."""
        for partition in partitions:
            self._draining.discard(partition)
            self.ledger.revoke(partition)
        self._all_topics_changed()
