# SPDX-License-Identifier: GPL-3.0-or-later
"""Faust's Kafka consumer, which commits what our ledger says and not what Faust considers acknowledged.

Faust commits past unfinished messages when they finish out of order (https://github.com/faust-streaming/faust/issues/606),
loses gaps at the start of a topic, and ends the worker when a commit fails. So its acknowledgements are not used:
streams are read with `noack`, and the hooks below answer from the ledger what may be committed. When Faust commits (by
interval, at a rebalance, at a stop) stays as it is.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from aiokafka import ConsumerRecord
from aiokafka.errors import InvalidSessionTimeoutError, KafkaError
from faust.transport.drivers import aiokafka as driver
from faust.types import TP, AppT, Message, TransportT
from faust.types.transports import ConsumerCallback, TPorTopicSet
from faust.types.tuples import ConsumerMessage
from mode import Service

from investigator.delivery.ledger import CommitPosition, Partition
from investigator.streaming.assignment_epoch import with_epoch
from investigator.streaming.assignor import GroupSizeAssignor
from investigator.streaming.consumer_thread import ConsumerThread
from investigator.streaming.eager_service import EagerWaitMixin
from investigator.streaming.ports import PartitionOwner

if TYPE_CHECKING:
    from investigator.streaming.application import Investigator

# How long messages in flight may take to finish when their partitions move to another worker, while the whole group
# waits. The next owner redelivers unfinished ones and finds their workflows in place, so this only saves work.
_REVOKE_DRAIN_SECONDS = 2.0

# An unavailable broker must not keep a worker from stopping.
_COMMIT_TIMEOUT_SECONDS = 5.0

# How often a worker that can't join its group checks for the reason.
_GROUP_CHECK_SECONDS = 2.0

# Faust leaves a topic out of a poll while the topic's buffer is full. During Faust's own poll, of a second, that buffer
# would run empty long before the topic is polled again. `wake_fetcher` ends most of these polls early.
_MAX_POLL_SECONDS = 0.05

_SESSION_REMEDY = (
    "THOTH_INVESTIGATOR_SESSION_TIMEOUT has to lie within the brokers' group.min.session.timeout.ms and "
    "group.max.session.timeout.ms; with its present value no broker lets this worker join a group"
)

ExportCommittedOffset = Callable[[Partition, int | None], None]


class ConsumerContext(NamedTuple):
    """The parts of a worker that its consumer reports to.

    Args:
        dispatcher: handles the messages.
        export_committed_offset: called with the offset that was committed of a partition; with None when it is revoked.
        group: learns how many workers share the topics.
        fetch_max_wait_ms: how long a broker may hold a fetch request that finds no messages.
    """

    dispatcher: PartitionOwner
    export_committed_offset: ExportCommittedOffset
    group: GroupSizeAssignor
    fetch_max_wait_ms: int


class LedgerConsumer(EagerWaitMixin, driver.Consumer):
    """A consumer that commits by the ledger of the dispatcher, and assigns and revokes the dispatcher's partitions.

    Args:
        context: the parts of the worker that it reports to.
        transport: Faust's transport, which made it.
        options: the arguments of Faust's own consumer.
    """

    _thread: ConsumerThread

    #: What Faust is about to commit.
    _commit_positions: Mapping[TP, CommitPosition]

    def __init__(self, context: ConsumerContext, transport: TransportT, **options: Any) -> None:  # noqa: ANN401  Faust's own
        self._context = context  # set first: Faust's constructor calls _new_consumer_thread
        super().__init__(transport, **options)

    def _new_consumer_thread(self) -> ConsumerThread:
        group, wait = self._context.group, self._context.fetch_max_wait_ms
        return ConsumerThread(group, wait, self, loop=self.loop, beacon=self.beacon)

    async def on_partitions_revoked(self, revoked: set[TP]) -> None:
        """Finish and commit as many messages of the partitions as the drain time allows; cancel the others."""
        partitions = [Partition(*tp) for tp in revoked]
        await self._context.dispatcher.drain(partitions, self._drain_seconds())
        await self.commit_and_end_transactions()
        self._context.dispatcher.revoke(partitions)
        for partition in partitions:
            self._context.export_committed_offset(partition, None)
        await super().on_partitions_revoked(revoked)

    def _drain_seconds(self) -> float:
        # A stop gives messages in flight more time than a rebalance; its own drain, which is under way, has that bound.
        if self.app.should_stop:
            return cast("Investigator", self.app).lifecycle.stop_timeout
        return _REVOKE_DRAIN_SECONDS

    async def commit_and_end_transactions(self) -> None:
        """Commit every finished message, including those that finished while another commit was under way."""
        try:
            await asyncio.wait_for(self._commit_rest(), _COMMIT_TIMEOUT_SECONDS)
        except asyncio.TimeoutError:
            self.log.warning("The brokers did not confirm the last commit; its messages may be redelivered")

    async def _commit_rest(self) -> None:
        await self.maybe_wait_for_commit_to_finish()
        await self.force_commit()

    async def on_partitions_assigned(self, assigned: set[TP], generation_id: int = 0) -> None:
        """Assign the partitions to the dispatcher before Faust fetches their first messages."""
        self._context.dispatcher.assign(Partition(*tp) for tp in assigned)
        await super().on_partitions_assigned(assigned, generation_id)

    def getmany(self, timeout: float) -> AsyncIterator[tuple[TP, Message]]:
        """Return fetched messages; wait for a short time only, so that topics with room again are polled soon."""
        return super().getmany(min(timeout, _MAX_POLL_SECONDS))

    def on_buffer_drop(self, tp: TP) -> None:
        """Poll the partition again at once: the poll under way may be waiting for messages of others."""
        super().on_buffer_drop(tp)
        self._thread.wake_fetcher()

    def _to_message(self, tp: TP, record: ConsumerRecord) -> ConsumerMessage:
        """Turn a record into Faust's message, with the assignment epoch that it belongs to."""
        if record.offset < (self._read_offset[tp] or 0):
            self._handle_offset_reset(tp, record.offset)
        message = super()._to_message(tp, record)
        return with_epoch(message, self._context.dispatcher.ledger.epoch(Partition(*tp)))

    def _handle_offset_reset(self, tp: TP, offset: int) -> None:
        # The topic was truncated or recreated. Faust and the ledger would drop its messages as duplicates.
        self.log.warning("Partition continues at an earlier offset topic=%s partition=%d offset=%d", *tp, offset)
        self._read_offset.pop(tp, None)
        self._context.dispatcher.assign([Partition(*tp)])

    def _filter_tps_with_pending_acks(self, topics: TPorTopicSet | None = None) -> Iterator[TP]:
        for partition in self._context.dispatcher.ledger.committable():
            tp = TP(*partition)
            if topics is None or tp in topics or tp.topic in topics:
                yield tp

    def _filter_committable_offsets(self, tps: Iterable[TP]) -> dict[TP, int]:
        positions = self._context.dispatcher.ledger.committable()
        self._commit_positions = {tp: positions[Partition(*tp)] for tp in tps if Partition(*tp) in positions}
        return {tp: position.offset for tp, position in self._commit_positions.items()}

    async def _commit(self, offsets: Mapping[TP, int]) -> bool:
        # A commit that ran at the same time may have replaced the positions.
        positions = {tp: self._commit_positions[tp] for tp in offsets if tp in self._commit_positions}
        committed = await self._thread.commit_positions(positions)
        for tp, position in committed.items():
            self._context.dispatcher.ledger.record_commit(Partition(*tp), position)
            self._context.export_committed_offset(Partition(*tp), position.offset)
        return bool(committed)

    async def perform_seek(self) -> None:
        """Seek to the committed offsets, and load from the commit metadata which later messages are finished."""
        await super().perform_seek()
        for partition, position in (await self._thread.committed_positions()).items():
            self._context.dispatcher.ledger.restore(partition, position)
        await self._commit_start_offsets()

    async def _commit_start_offsets(self) -> None:
        # Otherwise the next owner would start at the then-current end and skip everything produced in between.
        start_offsets = self._thread.start_offsets()
        for partition, offset in start_offsets.items():
            self._context.dispatcher.ledger.set_start_offset(partition, offset)
        if start_offsets:
            await self.commit()

    async def _add_gap(self, tp: TP, offset_from: int, offset_to: int) -> None:
        """Do nothing: the ledger needs no list of the offsets that a topic does not hold."""

    @Service.task
    async def _keep_membership(self) -> None:
        # Faust does not poll while all of its buffers are full, as they are while every topic waits for the cluster.
        # After broker_max_poll_interval the client would then leave the group, though this worker is healthy.
        interval = self.app.conf.broker_max_poll_interval / 4
        while not self.should_stop:
            await self.sleep(interval)
            if not self.should_stop:
                await self._thread.heartbeat_poll()

    @Service.task
    async def _watch_membership(self) -> None:
        while not self.should_stop:
            await self.sleep(_GROUP_CHECK_SECONDS)
            if not self.should_stop:
                await self._report_group_error(await self._thread.group_error())

    async def _report_group_error(self, error: KafkaError | None) -> None:
        if isinstance(error, InvalidSessionTimeoutError):
            self.log.critical("%s", _SESSION_REMEDY)
            await self.crash(error)
        elif error is not None:
            self.log.warning("Could not join the consumer group; will retry, see docs/kafka.md error=%r", error)


class LedgerTransport(driver.Transport):
    """Faust's transport over aiokafka, which makes the consumer that commits by the ledger.

    Args:
        context: passed to the consumer.
        app: the Faust application, whose setting `broker_consumer` names the brokers.
    """

    def __init__(self, context: ConsumerContext, app: AppT) -> None:
        super().__init__(app.conf.broker_consumer, app)
        self._context = context

    def create_consumer(self, callback: ConsumerCallback, **options: Any) -> LedgerConsumer:  # noqa: ANN401  Faust's own
        """Return the consumer; Faust calls this once, when the worker starts."""
        return LedgerConsumer(self._context, self, callback=callback, loop=self.loop, **options)
