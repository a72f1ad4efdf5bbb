# SPDX-License-Identifier: GPL-3.0-or-later
"""The thread in which Faust's consumer talks to the brokers, extended to survive their errors."""

import asyncio
import contextlib
from collections.abc import Mapping
from typing import Any

from aiokafka import AIOKafkaConsumer
from aiokafka.errors import CommitFailedError, IllegalStateError, KafkaError, TopicAuthorizationFailedError
from aiokafka.structs import OffsetAndMetadata, TopicPartition
from faust.transport.consumer import RecordMap
from faust.transport.drivers import aiokafka as driver
from faust.types import TP

from investigator.delivery.commit_metadata import decode, encode
from investigator.delivery.ledger import CommitPosition, Partition
from investigator.kafka import internals
from investigator.kafka.patches.fetch_wait import shorten_fetch_wait_while_busy
from investigator.kafka.patches.offset_out_of_range import warn_on_offset_out_of_range
from investigator.kafka.patches.unreadable_batches import PAUSE_SECONDS, pause_temporarily
from investigator.streaming.assignor import GroupSizeAssignor

# A partition without a leader must not delay the seek of the others.
_POSITION_TIMEOUT_SECONDS = 2.0

_REFUSED = "READ was revoked; all other topics continue. Grant READ again, see docs/kafka.md topics=%s retry_seconds=%g"


class ConsumerThread(driver.AIOKafkaConsumerThread):
    """The thread that talks to the brokers; their errors pause a topic or delay a commit, and end no worker.

    Args:
        group: shares out the partitions, and learns how many workers share them.
        fetch_max_wait_ms: how long a broker may hold a fetch request that finds no messages.
        args: the arguments of Faust's own thread.
        options: the same.
    """

    def __init__(
        self,
        group: GroupSizeAssignor,
        fetch_max_wait_ms: int,
        *args: Any,  # noqa: ANN401  whatever Faust passes
        **options: Any,  # noqa: ANN401  same
    ) -> None:
        super().__init__(*args, **options)
        self._group = group
        self._fetch_max_wait_ms = fetch_max_wait_ms

    def _create_worker_consumer(self, transport: driver.Transport) -> AIOKafkaConsumer:
        consumer = super()._create_worker_consumer(transport)
        shorten_fetch_wait_while_busy()
        internals.configure_consumer(consumer, assignor=self._group, fetch_max_wait_ms=self._fetch_max_wait_ms)
        warn_on_offset_out_of_range(self.app.conf.consumer_auto_offset_reset)
        return consumer

    def __post_init__(self) -> None:
        super().__post_init__()
        self._start_offsets: dict[Partition, int] = {}
        self._refused: set[str] = set()

    async def _fetch_records(
        self,
        consumer: AIOKafkaConsumer,
        active_partitions: set[TP],
        timeout: float | None = None,
        max_records: int | None = None,
    ) -> RecordMap:
        try:
            return await super()._fetch_records(consumer, active_partitions, timeout, max_records)
        except TopicAuthorizationFailedError as error:
            self._pause_refused_topics({str(error.args[0])})
            return {}

    def _pause_refused_topics(self, topics: set[str]) -> None:
        if not topics <= self._refused:
            self.log.error(_REFUSED, ", ".join(sorted(topics)), PAUSE_SECONDS)
            self._refused |= topics
            asyncio.get_running_loop().call_later(PAUSE_SECONDS, self._refused.difference_update, topics)
        assignment = internals.assignment_of(self._ensure_consumer())
        if assignment is not None:
            pause_temporarily(assignment, [tp for tp in assignment.tps if tp.topic in topics])

    async def commit_positions(self, positions: Mapping[TP, CommitPosition]) -> Mapping[TP, CommitPosition]:
        """Commit and return those positions that the brokers confirmed; the caller commits the others later."""
        committed: Mapping[TP, CommitPosition] = await self.call_thread(self._commit_positions, positions)
        return committed

    async def _commit_positions(self, positions: Mapping[TP, CommitPosition]) -> Mapping[TP, CommitPosition]:
        assignment = self.assignment()
        wanted = {
            TopicPartition(*tp): OffsetAndMetadata(position.offset, encode(position))
            for tp, position in positions.items()
            if tp in assignment and tp.topic not in self._refused
        }
        if not wanted:
            return {}
        try:
            await self._ensure_consumer().commit(wanted)
        except (CommitFailedError, IllegalStateError) as error:
            self.log.info("Did not commit; the partitions were reassigned error=%s", error)
            return {}
        except TopicAuthorizationFailedError as error:
            refused = error.args[0]  # the broker has committed all other topics
            self._pause_refused_topics(refused)
            return {tp: position for tp, position in positions.items() if tp in wanted and tp.topic not in refused}
        except KafkaError as error:
            self.log.warning("Did not commit; will retry error=%r", error)
            return {}
        return {tp: position for tp, position in positions.items() if tp in wanted}

    async def committed_positions(self) -> dict[Partition, CommitPosition]:
        """Return what any worker has committed of the assigned partitions; empty if the brokers do not answer."""
        positions: dict[Partition, CommitPosition] = await self.call_thread(self._committed_positions)
        return positions

    async def _committed_positions(self) -> dict[Partition, CommitPosition]:
        consumer = self._ensure_consumer()
        try:
            found = await internals.fetch_commits(consumer, consumer.assignment())
        except KafkaError as error:
            self.log.warning("Could not read commit metadata; finished messages may be redelivered error=%r", error)
            return {}
        return {Partition(*tp): decode(commit.offset, commit.metadata) for tp, commit in found.items()}

    async def seek_to_committed(self) -> Mapping[TP, int]:
        """Seek to the committed offsets; without a commit, to where the group starts. Return the offsets.

        Faust drops messages that it fetched around a rebalance, and counts on this seek to fetch them again. But
        aiokafka does not seek if nothing or offset 0 was committed (https://github.com/aio-libs/aiokafka/issues/1003):
        the first messages of a topic would be lost.
        """
        committed: Mapping[TP, int] = await self.call_thread(self._seek_to_committed)
        return committed

    async def _seek_to_committed(self) -> Mapping[TP, int | None]:
        consumer = self._ensure_consumer()
        committed: Mapping[TP, int | None] = await consumer.seek_to_committed()
        for tp, offset in committed.items():
            if offset is not None:
                self._start_offsets.pop(Partition(*tp), None)
            if offset == 0:
                consumer.seek(tp, 0)
        uncommitted = [tp for tp, offset in committed.items() if offset is None]
        if self.app.conf.consumer_auto_offset_reset == "latest":
            return {**committed, **await self._seek_to_first_position(uncommitted)}
        if uncommitted:
            await consumer.seek_to_beginning(*uncommitted)
        return committed

    async def _seek_to_first_position(self, partitions: list[TP]) -> dict[TP, int]:
        # aiokafka resolves `latest` to the present end each time: after messages that came since the first time.
        consumer = self._ensure_consumer()
        for tp in (tp for tp in partitions if Partition(*tp) not in self._start_offsets):
            with contextlib.suppress(asyncio.TimeoutError):
                position = await asyncio.wait_for(consumer.position(tp), _POSITION_TIMEOUT_SECONDS)
                self._start_offsets[Partition(*tp)] = position
        found = {tp: self._start_offsets[Partition(*tp)] for tp in partitions if Partition(*tp) in self._start_offsets}
        for tp, offset in found.items():
            consumer.seek(tp, offset)
        return found

    def start_offsets(self) -> Mapping[Partition, int]:
        """Return the ends that a group with `latest` found first, of partitions that had no commit then."""
        return dict(self._start_offsets)

    def wake_fetcher(self) -> None:
        """Let a poll that waits for messages look again at what has been fetched; thread-safe."""
        with contextlib.suppress(RuntimeError):  # the thread's loop is closed, so no poll waits
            self.thread_loop.call_soon_threadsafe(self._wake_fetcher)

    def _wake_fetcher(self) -> None:
        if self._consumer is not None:
            internals.wake_poll(self._consumer)

    async def group_error(self) -> KafkaError | None:
        """Return what keeps this worker out of the group, if anything does; the client then tries to join again."""
        error: KafkaError | None = await self.call_thread(self._group_error)
        return error

    async def _group_error(self) -> KafkaError | None:
        try:
            if self._consumer is not None:
                internals.raise_group_error(self._consumer)
        except KafkaError as error:
            return error
        return None

    async def heartbeat_poll(self) -> None:
        """Count as a poll for `max_poll_interval_ms`, though this worker may not poll right now."""
        await self.call_thread(self._mark_polled)

    async def _mark_polled(self) -> None:
        internals.mark_polled(self._ensure_consumer())
