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
from faust.transport.drivers import aiokafka as driver
from faust.types import TP, AppT, Message, TransportT
from faust.types.transports import ConsumerCallback, TPorTopicSet
from faust.types.tuples import ConsumerMessage
from mode.types import ServiceT

from investigator.delivery.ledger import CommitPosition, Partition
from investigator.streaming.assignment_epoch import with_epoch
from investigator.streaming.assignor import GroupSizeAssignor
from investigator.streaming.consumer_thread import ConsumerThread
from investigator.streaming.eager_service import EagerWaitMixin
from investigator.streaming.membership import MembershipMixin
from investigator.streaming.ports import PartitionOwner
from investigator.streaming.process_end import end_process
from investigator.streaming.watchdog import Vitals, Watchdog
from investigator.streaming.watchdog_thread import WatchdogService

if TYPE_CHECKING:
    from investigator.streaming.application import Investigator

# How long messages in flight may take to finish when their partitions move to another worker, while the whole group
# waits. The next owner redelivers unfinished ones and finds their workflows in place, so this only saves work.
_REVOKE_DRAIN_SECONDS = 2.0

# An unavailable broker must not keep a worker from stopping.
_COMMIT_TIMEOUT_SECONDS = 5.0

# Below Faust's own limit, `broker_request_timeout` of 90 s, at which its loop that resumes the streams ends silently.
_SEEK_TIMEOUT_SECONDS = 60.0

_SEEK_FAILED = (
    "Ending the worker: after a rebalance the brokers did not return the committed offsets. See that the coordinator "
    "of the group is available; the restarted worker joins the group again seconds=%g"
)

# How often a commit that proves the ownership of a partition is tried again, while no broker answers.
_CONFIRM_PAUSE_SECONDS = 1.0

# Faust leaves a topic out of a poll while the topic's buffer is full. During Faust's own poll, of a second, that buffer
# would run empty long before the topic is polled again. `wake_fetcher` ends most of these polls early.
_MAX_POLL_SECONDS = 0.05

ExportCommittedOffset = Callable[[Partition, int | None], None]


class ConsumerContext(NamedTuple):
    """The parts of a worker that its consumer reports to.

    Args:
        dispatcher: handles the messages.
        export_committed_offset: called with the offset that was committed of a partition; with None when it is revoked.
        group: learns how many workers share the topics.
        fetch_max_wait_ms: how long a broker may hold a fetch request that finds no messages.
        watchdog_seconds: how long the worker may hang before it is ended; 0 for no limit.
    """

    dispatcher: PartitionOwner
    export_committed_offset: ExportCommittedOffset
    group: GroupSizeAssignor
    fetch_max_wait_ms: int
    watchdog_seconds: float = 0.0


class LedgerConsumer(MembershipMixin, EagerWaitMixin, driver.Consumer):
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
        self._polls = 0
        self._confirming = asyncio.Lock()
        context.dispatcher.ownership.check_by(self.confirm_ownership)
        super().__init__(transport, **options)

    def on_init_dependencies(self) -> Iterable[ServiceT]:
        """Return what is started with the consumer: the watchdog, unless it is switched off."""
        limit = self._context.watchdog_seconds
        stop_limit = limit + cast("Investigator", self.app).lifecycle.stop_timeout
        watchdog = WatchdogService(Watchdog(limit, stop_limit), self._vitals, self._thread.ident)
        return [*super().on_init_dependencies(), *([watchdog] if limit else [])]

    def _vitals(self) -> Vitals:
        return self._thread.vitals()._replace(polls=self._polls, is_stopping=self.app.should_stop)

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
        self._polls += 1
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

    async def confirm_ownership(self, partition: Partition) -> bool:
        """Return whether the group accepts a commit of the partition by this worker; wait while no broker answers.

        A worker that was suspended beyond its session timeout does not know yet that the partition has another owner.
        Only one commit is under way for all messages: the thread has two tasks for calls, and one is for the polls.
        """
        while (position := self._context.dispatcher.ledger.position(partition)) is not None:
            async with self._confirming:
                owned = await self._thread.confirm(partition, position)
            if owned is not None:
                return owned
            await asyncio.sleep(_CONFIRM_PAUSE_SECONDS)
        return False

    async def perform_seek(self) -> None:
        """Seek to the committed offsets, and load from the commit metadata which later messages are finished."""
        ledger = self._context.dispatcher.ledger
        epochs = {partition: ledger.epoch(partition) for partition in ledger.assigned()}
        try:
            positions = await asyncio.wait_for(self._thread.seek_to_commits(), _SEEK_TIMEOUT_SECONDS)
        except asyncio.TimeoutError:
            end_process(_SEEK_FAILED, _SEEK_TIMEOUT_SECONDS)
        for partition, position in positions.items():
            if ledger.is_current(partition, epochs.get(partition)):
                self._continue_at(partition, position)

    def _continue_at(self, partition: Partition, position: CommitPosition | None) -> None:
        self._read_offset[TP(*partition)] = None if position is None else position.offset
        if position is not None:
            self._context.dispatcher.ledger.restore(partition, position)

    async def force_commit(self, topics: TPorTopicSet | None = None, start_new_transaction: bool = True) -> bool:  # noqa: FBT001, FBT002  Faust's own
        """Commit what is finished, and where partitions start that have no commit yet.

        Without a commit, the next owner would start at the then-current end and skip everything produced in between.
        """
        for partition, offset in self._thread.start_offsets().items():
            self._context.dispatcher.ledger.set_start_offset(partition, offset)
        committed: bool = await super().force_commit(topics, start_new_transaction)
        return committed

    def verify_event_path(self, now: float, tp: TP) -> None:
        """Do nothing. Faust would log errors for each partition that is halted or has a backlog; see `watchdog`."""

    async def _add_gap(self, tp: TP, offset_from: int, offset_to: int) -> None:
        """Do nothing: the ledger needs no list of the offsets that a topic does not hold."""


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
