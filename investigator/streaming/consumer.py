# SPDX-License-Identifier: GPL-3.0-or-later
"""Faust's Kafka consumer, made to commit what our ledger says instead of what Faust believes was acknowledged.

Faust commits past unfinished messages when they finish out of order, forgets gaps at the start of a topic, and ends the
worker when a commit fails. So its acknowledgements are not used at all: streams are read with `noack`, and the hooks
below answer Faust's question "what may be committed?" from the ledger. When Faust commits (by interval, at a
rebalance, at shutdown) stays as it is.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, ClassVar, NamedTuple, cast

from aiokafka import ConsumerRecord
from aiokafka.errors import InvalidSessionTimeoutError, KafkaError
from faust.transport.drivers import aiokafka as driver
from faust.types import TP, Message
from faust.types.transports import TPorTopicSet
from faust.types.tuples import ConsumerMessage
from mode import Service

from investigator.delivery.dispatcher import Dispatcher
from investigator.delivery.ledger import CommitPosition, Partition
from investigator.streaming.assignment_epoch import with_epoch
from investigator.streaming.assignor import GroupSizeAssignor
from investigator.streaming.consumer_thread import ConsumerThread
from investigator.streaming.eager_service import EagerWaitMixin

if TYPE_CHECKING:
    from investigator.streaming.application import Investigator

# How long messages in hand may take to finish when their partitions go to another worker. What is not finished is done
# again there and finds its workflows already made, so this only saves work, while the whole group waits.
_REBALANCE_GRACE_SECONDS = 2.0

# A broker that has gone away does not keep a worker from ending.
_COMMIT_PATIENCE_SECONDS = 5.0

# How often a worker that is kept out of its group tries again.
_GROUP_ERROR_SECONDS = 2.0

_SESSION_REMEDY = (
    "THOTH_INVESTIGATOR_SESSION_TIMEOUT has to lie within the brokers' group.min.session.timeout.ms and "
    "group.max.session.timeout.ms; as it is, this worker is let into no group."
)

ShowPosition = Callable[[Partition, int | None], None]


class ConsumerContext(NamedTuple):
    """What the consumers of a worker work for."""

    dispatcher: Dispatcher
    show_position: ShowPosition
    group: GroupSizeAssignor


# A topic of which there is enough in memory is left out while the others are polled. With Faust's wait, a second, what
# is in memory has long been handled before that topic gets its turn again. `look_again` ends most of these waits early.
_LONGEST_POLL_SECONDS = 0.05


class LedgerConsumer(EagerWaitMixin, driver.Consumer):
    """A consumer that commits by the ledger of the dispatcher, and tells that which partitions it has."""

    #: Set by `build_transport` before Faust makes the consumer.
    context: ClassVar["ConsumerContext"]

    _thread: ConsumerThread

    #: What Faust is about to commit.
    _commit_positions: Mapping[TP, CommitPosition]

    def _new_consumer_thread(self) -> ConsumerThread:
        return ConsumerThread(self.context.group, self, loop=self.loop, beacon=self.beacon)

    async def on_partitions_revoked(self, revoked: set[TP]) -> None:
        """Finish and commit what can be, then let go of what was in hand of these partitions."""
        partitions = [Partition(*tp) for tp in revoked]
        await self.context.dispatcher.drain(partitions, self._grace())
        await self.commit_and_end_transactions()
        self.context.dispatcher.revoke(partitions)
        for partition in partitions:
            self.context.show_position(partition, None)
        await super().on_partitions_revoked(revoked)

    def _grace(self) -> float:
        # A worker that ends has more time for what is in hand; its drain, which is under way, keeps to the bound.
        if self.app.should_stop:
            return cast("Investigator", self.app).lifecycle.longest_stop
        return _REBALANCE_GRACE_SECONDS

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
        self.context.dispatcher.assign(Partition(*tp) for tp in assigned)
        await super().on_partitions_assigned(assigned, generation_id)

    def getmany(self, timeout: float) -> AsyncIterator[tuple[TP, Message]]:
        """Fetch what is there, and look again soon which partitions are to be fetched."""
        return super().getmany(min(timeout, _LONGEST_POLL_SECONDS))

    def on_buffer_drop(self, tp: TP) -> None:
        """Fetch of this partition again, at once: the poll under way may be waiting for the others."""
        super().on_buffer_drop(tp)
        self._thread.wake_fetcher()

    def _to_message(self, tp: TP, record: ConsumerRecord) -> ConsumerMessage:
        """Note to which page of the ledger the message belongs."""
        if record.offset < (self._read_offset[tp] or 0):
            self._handle_offset_reset(tp, record.offset)
        message = super()._to_message(tp, record)
        return with_epoch(message, self.context.dispatcher.ledger.epoch(Partition(*tp)))

    def _handle_offset_reset(self, tp: TP, offset: int) -> None:
        # The topic was cut off or made anew. Faust and the ledger would take its messages for some that they have had.
        self.log.warning("%s partition %s goes on at the earlier offset %s", tp.topic, tp.partition, offset)
        self._read_offset.pop(tp, None)
        self.context.dispatcher.assign([Partition(*tp)])

    def _filter_tps_with_pending_acks(self, topics: TPorTopicSet | None = None) -> Iterator[TP]:
        for partition in self.context.dispatcher.ledger.committable():
            tp = TP(*partition)
            if topics is None or tp in topics or tp.topic in topics:
                yield tp

    def _filter_committable_offsets(self, tps: Iterable[TP]) -> dict[TP, int]:
        marks = self.context.dispatcher.ledger.committable()
        self._commit_positions = {tp: marks[Partition(*tp)] for tp in tps if Partition(*tp) in marks}
        return {tp: mark.offset for tp, mark in self._commit_positions.items()}

    async def _commit(self, offsets: Mapping[TP, int]) -> bool:
        # Another commit may have been under way, and have got this far first.
        marks = {tp: self._commit_positions[tp] for tp in offsets if tp in self._commit_positions}
        committed = await self._thread.commit_positions(marks)
        for tp, mark in committed.items():
            self.context.dispatcher.ledger.record_commit(Partition(*tp), mark)
            self.context.show_position(Partition(*tp), mark.offset)
        return bool(committed)

    async def perform_seek(self) -> None:
        """Go to the committed offsets, and learn what was finished beyond them."""
        await super().perform_seek()
        for partition, mark in (await self._thread.committed_positions()).items():
            self.context.dispatcher.ledger.restore(partition, mark)
        await self._commit_start_offsets()

    async def _commit_start_offsets(self) -> None:
        # Else whoever gets such a partition next would begin behind what has come until then.
        beginnings = self._thread.start_offsets()
        for partition, offset in beginnings.items():
            self.context.dispatcher.ledger.set_start_offset(partition, offset)
        if beginnings:
            await self.commit()

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
                await self._thread.heartbeat_poll()

    @Service.task
    async def _watch_membership(self) -> None:
        while not self.should_stop:
            await self.sleep(_GROUP_ERROR_SECONDS)
            if not self.should_stop:
                await self._report_group_error(await self._thread.group_error())

    async def _report_group_error(self, error: KafkaError | None) -> None:
        if isinstance(error, InvalidSessionTimeoutError):
            self.log.critical("%s", _SESSION_REMEDY)
            await self.crash(error)
        elif error is not None:
            self.log.warning("Not in the consumer group, will be tried again: %r; see docs/kafka.md", error)


def build_transport(
    dispatcher: Dispatcher, show_position: ShowPosition, group: GroupSizeAssignor
) -> type[driver.Transport]:
    """Make the class of transport whose consumers, which Faust makes itself, work for this dispatcher.

    Args:
        dispatcher: handles the messages.
        show_position: told the offset that was committed of a partition; None when the partition goes elsewhere.
        group: learns who else shares the topics.
    """
    bound = ConsumerContext(dispatcher, show_position, group)
    consumer = type("BoundConsumer", (LedgerConsumer,), {"context": bound, "__module__": __name__})
    return type("LedgerTransport", (driver.Transport,), {"Consumer": consumer})
