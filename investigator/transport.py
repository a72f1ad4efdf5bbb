# SPDX-License-Identifier: GPL-3.0-or-later
"""Faust's Kafka consumer, made to commit what our ledger says instead of what Faust believes was acknowledged.

Faust commits past unfinished messages when they finish out of order, forgets gaps at the start of a topic, and ends the
worker when a commit fails. So its acknowledgements are not used at all: streams are read with `noack`, and the hooks
below answer Faust's question "what may be committed?" from the ledger. When Faust commits (by interval, at a
rebalance, at shutdown) stays as it is.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping
from typing import ClassVar, NamedTuple

from aiokafka import AIOKafkaConsumer, ConsumerRecord
from aiokafka.errors import CommitFailedError, IllegalStateError, KafkaError
from aiokafka.structs import OffsetAndMetadata, TopicPartition
from faust.transport.drivers import aiokafka as driver
from faust.types import TP, Message
from faust.types.transports import TPorTopicSet
from faust.types.tuples import ConsumerMessage
from mode import Service

from investigator.delivery.dispatcher import Dispatcher
from investigator.delivery.ledger import Mark, Partition
from investigator.delivery.progress import from_text, to_text
from investigator.lost_places import warn_of_lost_places
from investigator.pages import with_page

# How long messages in hand may take to finish when their partitions go to another worker. What is not finished is done
# again there and finds its workflows already made, so this only saves work, while the whole group waits.
_REBALANCE_GRACE_SECONDS = 2.0

# A broker that has gone away does not keep a worker from ending.
_COMMIT_PATIENCE_SECONDS = 5.0

ShowPosition = Callable[[Partition, int | None], None]


class Bound(NamedTuple):
    """What the consumers of a worker work for."""

    dispatcher: Dispatcher
    show_position: ShowPosition


# A topic of which there is enough in memory is left out while the others are polled and fetched. With Faust's waits,
# 1 and 1.5 seconds, what is in memory has long been handled before that topic gets its turn again.
_LONGEST_POLL_SECONDS = 0.05
# Some brokers, the embedded one among them, do not answer a waiting fetch as soon as there is a message.
_LONGEST_FETCH_MS = 25


class ConsumerThread(driver.AIOKafkaConsumerThread):
    """The thread that talks to the broker; survives what a broker may do."""

    def _create_worker_consumer(self, transport: driver.Transport) -> AIOKafkaConsumer:
        consumer = super()._create_worker_consumer(transport)
        consumer._fetch_max_wait_ms = _LONGEST_FETCH_MS  # noqa: SLF001  Faust has no setting for it
        # What a producer has taken back is not to be handled; Faust would have that only for transactions of its own.
        consumer._isolation_level = "read_committed"  # noqa: SLF001
        warn_of_lost_places(self.app.conf.consumer_auto_offset_reset)
        return consumer

    async def commit_marks(self, marks: Mapping[TP, Mark]) -> bool:
        """Commit; tell whether the broker has it. What it does not have now is committed another time."""
        did_commit: bool = await self.call_thread(self._commit_marks, marks)
        return did_commit

    async def _commit_marks(self, marks: Mapping[TP, Mark]) -> bool:
        assignment = self.assignment()
        wanted = {
            TopicPartition(*tp): OffsetAndMetadata(mark.offset, to_text(mark))
            for tp, mark in marks.items()
            if tp in assignment
        }
        if not wanted:
            return False
        try:
            await self._ensure_consumer().commit(wanted)
        except (CommitFailedError, IllegalStateError) as error:
            self.log.info("Not committed, since the partitions were assigned anew: %s", error)
            return False
        except KafkaError as error:
            self.log.warning("Not committed, will be tried again: %r", error)
            return False
        return True

    async def committed_marks(self) -> dict[Partition, Mark]:
        """Give what was committed of the assigned partitions, by whomever; none where the broker does not tell."""
        marks: dict[Partition, Mark] = await self.call_thread(self._committed_marks)
        return marks

    async def _committed_marks(self) -> dict[Partition, Mark]:
        consumer = self._ensure_consumer()
        try:
            coordinator = consumer._coordinator  # noqa: SLF001  aiokafka's own `committed` leaves the metadata out
            found = await coordinator.fetch_committed_offsets(list(consumer.assignment()))
        except KafkaError as error:
            self.log.warning("What was finished beyond the commits is not known and may be done again: %r", error)
            return {}
        return {Partition(*tp): from_text(at.offset, at.metadata) for tp, at in found.items()}

    async def seek_to_committed(self) -> Mapping[TP, int]:
        """Go back to what was committed, or to where a group without a commit begins.

        Faust drops what is fetched around a rebalance and counts on this to bring it again. But aiokafka stays where it
        is when nothing was committed, or offset 0 was: the first messages of a topic would be lost.
        """
        committed: Mapping[TP, int] = await self.call_thread(self._seek_to_committed)
        return committed

    async def _seek_to_committed(self) -> Mapping[TP, int | None]:
        consumer = self._ensure_consumer()
        committed: Mapping[TP, int | None] = await consumer.seek_to_committed()
        for tp, offset in committed.items():
            if offset == 0:
                consumer.seek(tp, 0)
        unknown = [tp for tp, offset in committed.items() if offset is None]
        if unknown and self.app.conf.consumer_auto_offset_reset == "earliest":
            await consumer.seek_to_beginning(*unknown)
        return committed

    async def stay_in_group(self) -> None:
        """Tell the group coordinator's client that this worker is alive though it may not poll right now."""
        await self.call_thread(self._touch)

    async def _touch(self) -> None:
        with self._ensure_consumer()._subscription.fetch_context():  # noqa: SLF001  aiokafka's own idle clock
            pass


class LedgerConsumer(driver.Consumer):
    """A consumer that commits by the ledger of the dispatcher, and tells that which partitions it has."""

    #: Set by `transport_for` before Faust makes the consumer.
    bound: ClassVar["Bound"]

    _thread: ConsumerThread

    #: What Faust is about to commit.
    _marks: Mapping[TP, Mark]

    def _new_consumer_thread(self) -> ConsumerThread:
        return ConsumerThread(self, loop=self.loop, beacon=self.beacon)

    async def on_partitions_revoked(self, revoked: set[TP]) -> None:
        """Finish and commit what can be, then let go of what was in hand of these partitions."""
        partitions = [Partition(*tp) for tp in revoked]
        await self.bound.dispatcher.let_go(partitions, _REBALANCE_GRACE_SECONDS)
        await self.commit_and_end_transactions()
        self.bound.dispatcher.revoke(partitions)
        for partition in partitions:
            self.bound.show_position(partition, None)
        await super().on_partitions_revoked(revoked)

    async def commit_and_end_transactions(self) -> None:
        """Commit all that is finished, also what was finished while another commit was under way."""
        try:
            await asyncio.wait_for(self._commit_rest(), _COMMIT_PATIENCE_SECONDS)
        except asyncio.TimeoutError:
            self.log.warning("The last commit was not confirmed; what it was about may be done again")

    async def _commit_rest(self) -> None:
        await self.maybe_wait_for_commit_to_finish()
        await self.force_commit()

    async def on_partitions_assigned(self, assigned: set[TP], generation_id: int = 0) -> None:
        """Begin to take up messages of these partitions, before Faust fetches the first one."""
        self.bound.dispatcher.assign(Partition(*tp) for tp in assigned)
        await super().on_partitions_assigned(assigned, generation_id)

    def getmany(self, timeout: float) -> AsyncIterator[tuple[TP, Message]]:
        """Fetch what is there, and look again soon which partitions are to be fetched."""
        return super().getmany(min(timeout, _LONGEST_POLL_SECONDS))

    def _to_message(self, tp: TP, record: ConsumerRecord) -> ConsumerMessage:
        """Note to which page of the ledger the message belongs."""
        if record.offset < (self._read_offset[tp] or 0):
            self._begin_anew(tp, record.offset)
        message = super()._to_message(tp, record)
        return with_page(message, self.bound.dispatcher.ledger.page(Partition(*tp)))

    def _begin_anew(self, tp: TP, offset: int) -> None:
        # The topic was cut off or made anew. Faust and the ledger would take its messages for some that they have had.
        self.log.warning("%s partition %s goes on at the earlier offset %s", tp.topic, tp.partition, offset)
        self._read_offset.pop(tp, None)
        self.bound.dispatcher.assign([Partition(*tp)])

    def _filter_tps_with_pending_acks(self, topics: TPorTopicSet | None = None) -> Iterator[TP]:
        for partition in self.bound.dispatcher.ledger.committable():
            tp = TP(*partition)
            if topics is None or tp in topics or tp.topic in topics:
                yield tp

    def _filter_committable_offsets(self, tps: Iterable[TP]) -> dict[TP, int]:
        marks = self.bound.dispatcher.ledger.committable()
        self._marks = {tp: marks[Partition(*tp)] for tp in tps if Partition(*tp) in marks}
        return {tp: mark.offset for tp, mark in self._marks.items()}

    async def _commit(self, offsets: Mapping[TP, int]) -> bool:
        # Another commit may have been under way, and have got this far first.
        marks = {tp: self._marks[tp] for tp in offsets if tp in self._marks}
        did_commit = await self._thread.commit_marks(marks)
        if did_commit:
            for tp, mark in marks.items():
                self.bound.dispatcher.ledger.committed(Partition(*tp), mark)
                self.bound.show_position(Partition(*tp), mark.offset)
        return did_commit

    async def perform_seek(self) -> None:
        """Go to the committed offsets, and learn what was finished beyond them."""
        await super().perform_seek()
        for partition, mark in (await self._thread.committed_marks()).items():
            self.bound.dispatcher.ledger.restore(partition, mark)

    async def _add_gap(self, tp: TP, offset_from: int, offset_to: int) -> None:
        """Do nothing: the ledger needs no list of the offsets that a topic does not hold."""

    @Service.task
    async def _keep_membership(self) -> None:
        # Faust stops polling while all of its buffers are full, as they are when everything waits for the cluster;
        # after broker_max_poll_interval the client would leave the group, though this worker is well.
        interval = self.app.conf.broker_max_poll_interval / 4
        while not self.should_stop:
            await self.sleep(interval)
            if not self.should_stop:
                await self._thread.stay_in_group()


def transport_for(dispatcher: Dispatcher, show_position: ShowPosition) -> type[driver.Transport]:
    """Make the class of transport whose consumers, which Faust makes itself, work for this dispatcher.

    Args:
        dispatcher: handles the messages.
        show_position: told the offset that was committed of a partition; None when the partition goes elsewhere.
    """
    bound = Bound(dispatcher, show_position)
    consumer = type("BoundConsumer", (LedgerConsumer,), {"bound": bound, "__module__": __name__})
    return type("LedgerTransport", (driver.Transport,), {"Consumer": consumer})
