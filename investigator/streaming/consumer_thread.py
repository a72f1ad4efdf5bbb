# SPDX-License-Identifier: GPL-3.0-or-later
"""The thread in which Faust's consumer talks to the brokers, extended to survive their errors."""

import asyncio
import contextlib
from collections.abc import Iterator, Mapping
from typing import Any

from aiokafka import AIOKafkaConsumer
from aiokafka.errors import CommitFailedError, IllegalStateError, KafkaError, TopicAuthorizationFailedError
from aiokafka.structs import OffsetAndMetadata, TopicPartition
from faust.transport.consumer import RecordMap
from faust.transport.drivers import aiokafka as driver
from faust.types import TP

from investigator.delivery.commit_metadata import encode
from investigator.delivery.ledger import CommitPosition, Partition
from investigator.kafka import internals
from investigator.kafka.patches.fetch_wait import shorten_fetch_wait_while_busy
from investigator.kafka.patches.offset_out_of_range import warn_on_offset_out_of_range
from investigator.kafka.patches.unreadable_batches import PAUSE_SECONDS, pause_temporarily
from investigator.streaming.assignor import GroupSizeAssignor
from investigator.streaming.fencing import end_if_excluded
from investigator.streaming.seek import Positions, Seeker
from investigator.streaming.watchdog import Vitals
from investigator.streaming.watchdog_thread import LoopTurns

# The thread has two tasks for calls. One that waited for an unavailable coordinator without a limit would block polls.
_COMMIT_TIMEOUT_SECONDS = 10.0

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

    def vitals(self) -> Vitals:
        """Return what the thread and its client were seen to do; callable from any thread."""
        ended = () if self._thread is None or self._thread.is_alive() else ("thread",)
        if self._consumer is None:
            return Vitals(thread_turns=self._turns.count(), ended=ended)
        return Vitals(
            thread_turns=self._turns.count(),
            answers=internals.answer_count(self._consumer),
            must_poll=internals.is_assigned(self._consumer) or self._rebalancing > 0,
            ended=(*ended, *internals.ended_tasks(self._consumer)),
        )

    def ident(self) -> int | None:
        """Return the identifier of the thread, for its stack; None before the start."""
        return None if self._thread is None else self._thread.ident

    async def on_partitions_revoked(self, revoked: set[TP]) -> None:
        """Let the consumer handle the revocation; the group waits for that."""
        with self._handling_rebalance():
            await super().on_partitions_revoked(revoked)

    async def on_partitions_assigned(self, assigned: set[TP], generation_id: int = 0) -> None:
        """Let the consumer handle the assignment; the client waits for that."""
        with self._handling_rebalance():
            await super().on_partitions_assigned(assigned, generation_id)

    @contextlib.contextmanager
    def _handling_rebalance(self) -> Iterator[None]:
        self._rebalancing += 1
        try:
            yield
        finally:
            self._rebalancing -= 1

    def __post_init__(self) -> None:
        super().__post_init__()
        self._seeker = Seeker(latest=self.app.conf.consumer_auto_offset_reset == "latest")
        self._refused: set[str] = set()
        self._turns = LoopTurns(self.thread_loop)
        self._rebalancing = 0

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
        except KafkaError as error:
            self._end_if_excluded(error)
            raise

    def _end_if_excluded(self, error: Exception) -> None:
        end_if_excluded(error, self.app.conf.consumer_group_instance_id)

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
            await asyncio.wait_for(self._ensure_consumer().commit(wanted), _COMMIT_TIMEOUT_SECONDS)
        except (CommitFailedError, IllegalStateError) as error:
            self.log.info("Did not commit; the partitions were reassigned error=%s", error)
            return {}
        except TopicAuthorizationFailedError as error:
            refused = error.args[0]  # the broker has committed all other topics
            self._pause_refused_topics(refused)
            return {tp: position for tp, position in positions.items() if tp in wanted and tp.topic not in refused}
        except (KafkaError, asyncio.TimeoutError) as error:
            self._end_if_excluded(error)
            self.log.warning("Did not commit; will retry error=%r", error)
            return {}
        return {tp: position for tp, position in positions.items() if tp in wanted}

    async def confirm(self, partition: Partition, position: CommitPosition) -> bool | None:
        """Commit a position; return whether the group accepts that, None if the brokers do not answer.

        Brokers refuse the commit of a member that the group has replaced, or of another generation.
        """
        owned: bool | None = await self.call_thread(self._confirm, partition, position)
        return owned

    async def _confirm(self, partition: Partition, position: CommitPosition) -> bool | None:
        offset = OffsetAndMetadata(position.offset, encode(position))
        commit = self._ensure_consumer().commit({TopicPartition(*partition): offset})
        try:
            await asyncio.wait_for(commit, _COMMIT_TIMEOUT_SECONDS)
        except (CommitFailedError, IllegalStateError):
            return False
        except TopicAuthorizationFailedError:
            return True  # brokers check the member first
        except (KafkaError, asyncio.TimeoutError) as error:
            self._end_if_excluded(error)
            self.log.warning("Could not confirm the owner of a partition; will retry error=%r", error)
            return None
        return True

    async def seek_to_commits(self) -> Positions:
        """Seek all assigned partitions to where the group continues, and return the positions; see `Seeker`."""
        positions: Positions = await self.call_thread(self._seek)
        return positions

    async def _seek(self) -> Positions:
        return await self._seeker.seek(self._ensure_consumer())

    def start_offsets(self) -> Mapping[Partition, int]:
        """Return the ends that a group with `latest` found first, of partitions that had no commit then."""
        return self._seeker.start_offsets()

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
