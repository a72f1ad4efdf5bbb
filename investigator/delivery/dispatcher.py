# SPDX-License-Identifier: GPL-3.0-or-later
"""The dispatcher: it processes messages in parallel, each from its acceptance to its last step.

Read `Dispatcher._deliver` from top to bottom: a message waits for the one before it with the same key, for its topic to
be resumed, and for a slot. Its steps run with retries; if these are exhausted, the message becomes a dead letter or
halts its topic. Only then it is finished in the ledger, and its offset may be committed.
"""

import asyncio
import logging
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from functools import partial

from investigator.delivery.attempts import Attempts
from investigator.delivery.failure_handler import FailureHandler
from investigator.delivery.halt_coordinator import HaltCoordinator
from investigator.delivery.halts import FailedMessage, Outcome, ResumeAction
from investigator.delivery.held_back import HeldBack
from investigator.delivery.in_flight import InFlightMessages
from investigator.delivery.ledger import AckToken, Ledger, Partition
from investigator.delivery.messages import Delivery, InFlightMessage
from investigator.delivery.notifier import Notifier
from investigator.delivery.owned_halts import OwnedHalts
from investigator.delivery.ownership import Ownership
from investigator.delivery.policy import DispatchPolicy
from investigator.delivery.ports import DeadLetters, Observer
from investigator.delivery.slots import Slots

_LOGGER = logging.getLogger(__name__)


class Dispatcher:
    """Processes the submitted messages in parallel, and records in the ledger which are finished.

    Args:
        policy: how many messages are in flight, and how often they are retried.
        halt_coordinator: knows which topics are halted.
        dead_letters: publishes dead letters.
        observer: records what happens to messages.
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
        self._owned_halts = OwnedHalts(self.ledger, halt_coordinator)
        self.ownership = Ownership(self.ledger)
        self._policy = policy
        self._halt_coordinator = halt_coordinator
        halt_coordinator.add_listener(self._on_halt_change)
        self._dead_letters = dead_letters
        self._observer = observer
        self._slots = Slots(policy.concurrency)
        self._in_flight = InFlightMessages(HeldBack(policy))
        self._failure_handler = FailureHandler(
            halt_coordinator, dead_letters, observer, self._in_flight, redact, self.ownership.holds
        )
        self._draining: set[Partition] = set()
        self._notifiers: defaultdict[str, Notifier] = defaultdict(Notifier)
        self._attempts = Attempts(policy.retry, observer, self._hold_back, self._raise_if_revoked, self._is_decided)

    def in_flight(self) -> list[InFlightMessage]:
        """Return all messages that were accepted and are not finished."""
        return self._in_flight.messages()

    def _on_halt_change(self, topic: str) -> None:
        for message in self._in_flight.messages():
            if message.delivery.topic == topic:
                self._attempts.end_if_decided(message)
        self._on_topic_change(topic)

    def _on_topic_change(self, topic: str) -> None:
        self._owned_halts.clear_settled(topic)
        self._notifiers[topic].notify()

    def _notify_all_topics(self) -> None:
        for notifier in self._notifiers.values():
            notifier.notify()

    def assign(self, partitions: Iterable[Partition]) -> None:
        """Start to accept messages of these partitions; to be called before the first of them is submitted.

        Messages of an earlier assignment that was not revoked, as of a topic that was recreated, are cancelled.
        """
        partitions = frozenset(partitions)
        for task in self._in_flight.by_task(partitions):
            task.cancel()
        self._draining -= partitions
        for partition in partitions:
            self.ledger.assign(partition)
        self._notify_all_topics()

    async def submit(self, delivery: Delivery, *, is_consuming: Callable[[], bool]) -> None:
        """Accept a message as soon as there is room for it; drop it if its assignment ends first.

        Args:
            delivery: the message.
            is_consuming: returns False when the consumer has stopped, or has left the generation of the group in which
                it fetched the message.
        """
        is_current = partial(self._is_current, delivery, is_consuming)
        await self._halt_coordinator.synced.wait()
        await self._notifiers[delivery.topic].wait_for(lambda: not is_current() or self._may_accept(delivery))
        if is_current() and (ack_token := self.ledger.accept(delivery.partition, delivery.offset)) is not None:
            self._start(delivery, ack_token)

    def _is_current(self, delivery: Delivery, is_consuming: Callable[[], bool]) -> bool:
        """Return whether the assignment in which the message was fetched still lasts."""
        return self.ledger.is_current(delivery.partition, delivery.epoch) and is_consuming()

    def _may_accept(self, delivery: Delivery) -> bool:
        return (
            delivery.partition not in self._draining
            and self._owned_halts.may_accept(delivery.topic)
            and self._in_flight.count(delivery.topic) < self._policy.max_in_flight
            and self.ledger.has_room(delivery.partition, delivery.offset)
        )

    def _start(self, delivery: Delivery, ack_token: AckToken) -> None:
        loop = asyncio.get_running_loop()
        message = InFlightMessage(delivery, ack_token, self._slots.slot(), accepted_at=loop.time())
        task = loop.create_task(self._deliver(message, self._in_flight.enqueue_by_key(message)))
        self._in_flight.add(task, message)
        task.add_done_callback(self._on_done)

    def _on_done(self, task: asyncio.Task[None]) -> None:
        delivery = self._in_flight.remove(task).delivery
        self._on_topic_change(delivery.topic)
        if not task.cancelled() and (error := task.exception()) is not None:
            _LOGGER.critical("Internal error message=%s", delivery.origin, exc_info=error)

    async def _deliver(self, message: InFlightMessage, predecessor: InFlightMessage | None) -> None:
        with self._observer.context(message.delivery):
            if predecessor is not None:
                async with self._hold_back(message, "its turn"):
                    await predecessor.done.wait()
            while not await self._try_to_finish(message):
                pass
            self.ledger.finish(message.ack_token)
            self._observer.finished(message.delivery, asyncio.get_running_loop().time() - message.accepted_at)

    async def _try_to_finish(self, message: InFlightMessage) -> bool:
        """Apply an operator's decision, or process the message with all attempts; return whether it is finished.

        If it is not, its topic is halted, and the next call waits until an operator resumes the topic.
        """
        await self._wait_turn(message)
        try:
            if (decision := self._decision_for(message)) is not None:
                self._unblock(message)
                return await self._failure_handler.apply_decision(message, *decision)
            return await self._process(message)
        except Exception as error:
            _LOGGER.exception("Internal error; halting topic")
            return await self._failure_handler.halt_over_internal_error(message, error)

    def _decision_for(self, message: InFlightMessage) -> tuple[ResumeAction, FailedMessage] | None:
        return self._halt_coordinator.decision_for(message.delivery.topic, message.delivery.position)

    def _is_decided(self, message: InFlightMessage) -> bool:
        return self._decision_for(message) is not None

    async def _wait_turn(self, message: InFlightMessage) -> None:
        self._raise_if_revoked(message)
        message.waits_for = "its topic to be resumed"
        await self._notifiers[message.delivery.topic].wait_for(lambda: self._may_start(message))

    def _may_start(self, message: InFlightMessage) -> bool:
        topic = message.delivery.topic
        if self._halt_coordinator.is_resumed(topic, message.delivery.position):
            return True
        return not self._halt_coordinator.is_halted(topic) and not self._in_flight.is_blocked(message)

    def _raise_if_revoked(self, message: InFlightMessage) -> None:
        if message.ack_token.partition in self._draining:
            raise asyncio.CancelledError(
                "its partition is being drained, and a drain does not wait for waiting messages"
            )

    async def _process(self, message: InFlightMessage) -> bool:
        message.waits_for = "a slot"
        async with message.slot:
            if not self._may_start(message) or self._is_decided(message):
                return False
            self._unblock(message)
            if not await self._attempts.run(message):
                return False
        if message.failure is not None:
            return await self._failure_handler.handle_exhausted(message, message.failure)
        self._dead_letters.record_success(message.delivery)
        self._halt_coordinator.record_outcome(message.delivery.topic, message.delivery.position, Outcome.HANDLED)
        return True

    @asynccontextmanager
    async def _hold_back(self, message: InFlightMessage, what: str) -> AsyncIterator[None]:
        """Lend the message's slot, and make room in its topic, for as long as what it needs is unavailable."""
        with self._in_flight.held_back.hold(message):
            self._notifiers[message.delivery.topic].notify()
            async with message.waiting_for(what):
                yield

    def _unblock(self, message: InFlightMessage) -> None:
        if message.is_blocking:
            self._in_flight.unblock(message)
            self._on_topic_change(message.delivery.topic)

    async def drain(self, partitions: Iterable[Partition], grace: float) -> None:
        """Accept no more messages of these partitions, and finish or cancel those in flight.

        Messages that only wait are cancelled at once. Those that are processed have `grace` seconds to finish, and
        are cancelled then. Finished ones may be committed afterwards; `revoke` forgets the partitions.
        """
        partitions = frozenset(partitions)
        self._draining |= partitions
        self._notify_all_topics()
        draining = self._in_flight.by_task(partitions)
        for task, message in draining.items():
            if not message.is_processing:
                task.cancel()
        processing = [task for task, message in draining.items() if message.is_processing]
        _, late = await asyncio.wait(processing, timeout=grace) if processing else (set(), set())
        for task in late:
            task.cancel()

    def revoke(self, partitions: Iterable[Partition]) -> None:
        """Forget the partitions: results of this assignment have no effect from now on."""
        for partition in partitions:
            self._draining.discard(partition)
            self.ledger.revoke(partition)
        self._notify_all_topics()
