# SPDX-License-Identifier: GPL-3.0-or-later
"""A reader of topics that belongs to no consumer group: it commits nothing and takes no partition from a worker.

It reads partitions to their end (dead letters, replays), or follows one without end (halts). Reading ends at the end
offset that the broker returned when reading began; records that arrive meanwhile do not extend it. Positions are
compared, not the offsets of records, because compaction and transaction markers leave gaps between records.

The broker of the sandbox may return an end offset that is too low (it was seen to return the first offset of the last
batch). For such brokers, `idle_seconds` makes the reader go on after the end offset. It then ends at the high watermark
that came with the records, once no record has arrived for that time.
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaTimeoutError

from investigator.kafka.client_start import start_client

# With `idle_seconds`, a topic that is written all the time is never idle. Records that arrive this long after the
# reader has caught up were written after reading began.
_MAX_CATCH_UP_SECONDS = 5.0
# The broker has answered before, so a longer silence is a failure, not a slow start.
_STUCK_SECONDS = 30.0
_POLL_MS = 200
_POLLED_RECORDS = 500


@dataclass(frozen=True)
class OffsetRange:
    """A range of offsets of one partition, its last offset included; None means no upper bound."""

    first: int = 0
    last: int | None = None

    def __contains__(self, offset: object) -> bool:
        """Return whether an offset lies in the range."""
        return isinstance(offset, int) and self.first <= offset and (self.last is None or offset <= self.last)

    def is_read(self, position: int) -> bool:
        """Return whether a reader at this position has read the range; never true without an upper bound."""
        return self.last is not None and position > self.last


class Polled(NamedTuple):
    """The records of one poll, possibly none, and the offset at which the next poll continues."""

    records: list[ConsumerRecord]
    position: int


@dataclass
class _Progress:
    """How far one partition is read; times are in seconds of the event loop's clock.

    Attributes:
        wanted: the offsets that were asked for.
        end: the partition's end offset when reading began.
        moved: when the last record arrived.
        idle_seconds: how long no record must arrive after the end offset; 0 where the end offset can be trusted.
    """

    wanted: OffsetRange
    end: int
    moved: float
    idle_seconds: float
    caught_up: float | None = field(default=None, init=False)

    def has_ended(self, now: float, position: int, highwater: int | None) -> bool:
        if self.wanted.is_read(position):
            return True
        if position < self.end:
            return False
        return not self.idle_seconds or self._is_idle(now, position, highwater)

    def _is_idle(self, now: float, position: int, highwater: int | None) -> bool:
        if highwater is None or position < highwater:
            return False
        self.caught_up = now if self.caught_up is None else self.caught_up
        return now - self.moved >= self.idle_seconds or now - self.caught_up >= _MAX_CATCH_UP_SECONDS


class TopicReader:
    """Reads topics without a consumer group.

    Args:
        options: the connection options of aiokafka's clients.
        idle_seconds: how long no record must arrive after the end offset before a partition is read to its end. 0, the
            default, trusts the end offset, as is right for Apache Kafka.
    """

    def __init__(self, options: Mapping[str, Any], *, idle_seconds: float = 0.0) -> None:
        self._options = options
        self._idle_seconds = idle_seconds

    async def topics(self) -> dict[str, frozenset[int]]:
        """Return the partitions of every topic. All are listed because a request for one name may create that topic."""
        client = AIOKafkaAdminClient(**self._options)
        try:
            await start_client(client.start())
            described = await client.describe_topics()
        finally:
            await client.close()
        return {each["topic"]: frozenset(part["partition"] for part in each["partitions"]) for each in described}

    async def read(self, topic: str, ranges: Mapping[int, OffsetRange]) -> AsyncGenerator[ConsumerRecord, None]:
        """Yield the records of some partitions up to their end; within a partition in the order of the offsets.

        Close the generator (`contextlib.aclosing`): it owns a consumer.

        Args:
            topic: the name of a topic that exists.
            ranges: the wanted offsets, by partition number.

        Raises:
            KafkaError: the broker can't be reached, refuses, or stops answering.
        """
        if not ranges:
            return
        clock = asyncio.get_running_loop().time
        async with self._consumer(topic, {number: wanted.first for number, wanted in ranges.items()}) as consumer:
            ends = await consumer.end_offsets(list(consumer.assignment()))
            unread = {
                partition: _Progress(ranges[partition.partition], end, clock(), self._idle_seconds)
                for partition, end in ends.items()
            }
            while unread := await _without_ended(consumer, unread, clock()):
                for partition, records in (await consumer.getmany(*unread, timeout_ms=_POLL_MS)).items():
                    for record in records:
                        if record.offset in unread[partition].wanted:
                            yield record
                    unread[partition].moved = clock()  # read the clock here: the caller may take long per record
                _raise_if_stuck(unread, clock())

    async def follow(self, topic: str, number: int, first: int = 0) -> AsyncGenerator[Polled, None]:
        """Yield each poll of one partition, also the empty ones, without end.

        Close the generator (`contextlib.aclosing`): it owns a consumer.

        Args:
            topic: the name of a topic that exists.
            number: the partition's number.
            first: the offset to begin with; the partition's oldest record where it does not hold that offset.

        Raises:
            KafkaError: the broker can't be reached or refuses.
        """
        partition = TopicPartition(topic, number)
        async with self._consumer(topic, {number: first}) as consumer:
            while True:
                polled = await consumer.getmany(partition, timeout_ms=_POLL_MS)
                yield Polled(polled.get(partition, []), await consumer.position(partition))

    @asynccontextmanager
    async def _consumer(self, topic: str, first: Mapping[int, int]) -> AsyncIterator[AIOKafkaConsumer]:
        consumer = AIOKafkaConsumer(
            **self._options, group_id=None, auto_offset_reset="earliest", max_poll_records=_POLLED_RECORDS
        )
        try:
            await start_client(consumer.start())
            consumer.assign([TopicPartition(topic, number) for number in first])
            await _seek(consumer, {TopicPartition(topic, number): offset for number, offset in first.items()})
            yield consumer
        finally:
            await consumer.stop()


async def _seek(consumer: AIOKafkaConsumer, first: Mapping[TopicPartition, int]) -> None:
    # Offset 0 may have been deleted by retention. aiokafka would report that as an offset out of range.
    if whole := [partition for partition, offset in first.items() if offset == 0]:
        await consumer.seek_to_beginning(*whole)
    for partition, offset in first.items():
        if offset:
            consumer.seek(partition, offset)


async def _without_ended(
    consumer: AIOKafkaConsumer, unread: Mapping[TopicPartition, _Progress], now: float
) -> dict[TopicPartition, _Progress]:
    # A position is unknown while the consumer looks for the oldest record, which takes as long as the broker is silent.
    asked = asyncio.gather(*map(consumer.position, unread))
    try:
        positions = await asyncio.wait_for(asked, _STUCK_SECONDS)
    except asyncio.TimeoutError:
        raise _stuck(unread) from None
    return {
        partition: progress
        for (partition, progress), position in zip(unread.items(), positions, strict=True)
        if not progress.has_ended(now, position, consumer.highwater(partition))
    }


def _raise_if_stuck(unread: Mapping[TopicPartition, _Progress], now: float) -> None:
    if now - max(progress.moved for progress in unread.values()) > _STUCK_SECONDS:
        raise _stuck(unread)


def _stuck(unread: Mapping[TopicPartition, _Progress]) -> KafkaTimeoutError:
    names = ", ".join(f"{topic}[{number}]" for topic, number in unread)
    return KafkaTimeoutError(f"the broker returned neither records nor the end of {names} for {_STUCK_SECONDS:g} s")
