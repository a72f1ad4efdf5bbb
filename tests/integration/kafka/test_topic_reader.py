# SPDX-License-Identifier: GPL-3.0-or-later
import asyncio
import gc
from collections.abc import AsyncIterator
from contextlib import aclosing

import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, RecordsToDelete
from aiokafka.structs import TopicPartition

from investigator.kafka.topic_reader import OffsetRange, TopicReader, _Progress
from sandbox.broker import Broker
from sandbox.kafka_client import KafkaClient


def _progress(wanted: OffsetRange | None = None, *, end: int = 0, idle_seconds: float = 0.0) -> _Progress:
    return _Progress(wanted or OffsetRange(), end, moved=0.0, idle_seconds=idle_seconds)


def test_a_range_includes_both_of_its_bounds() -> None:
    """Offset 0 is a bound like any other."""
    assert [offset for offset in range(5) if offset in OffsetRange(1, 3)] == [1, 2, 3]
    assert [offset for offset in range(5) if offset in OffsetRange(0, 0)] == [0]
    assert [offset for offset in range(5) if offset in OffsetRange(3)] == [3, 4]


def test_a_range_is_read_once_the_position_is_after_its_last_offset() -> None:
    """A range without an upper bound is never read: a caller that follows a topic goes on."""
    assert OffsetRange(0, 4).is_read(5)
    assert not OffsetRange(0, 4).is_read(4)
    assert not OffsetRange(0).is_read(1000)


@pytest.mark.parametrize("idle_seconds", [0.0, 1.2])
def test_reading_stops_after_the_last_wanted_offset(idle_seconds: float) -> None:
    """The reader does not wait for records that the caller did not ask for."""
    progress = _progress(OffsetRange(0, 4), end=900, idle_seconds=idle_seconds)
    assert progress.has_ended(0.0, position=5, highwater=900)
    assert not progress.has_ended(9.0, position=4, highwater=900)


@pytest.mark.parametrize("position", [5, 7])
def test_reading_ends_at_the_end_offset_at_once(position: int) -> None:
    """Also where the position jumps over it, and while new records move the high watermark on."""
    progress = _progress(end=5)
    assert not progress.has_ended(0.0, position=4, highwater=9)
    assert progress.has_ended(0.0, position=position, highwater=9)


def test_a_silent_broker_does_not_end_reading_before_the_end_offset() -> None:
    """The reader reports a broker that stays silent as an error instead."""
    assert not _progress(end=5).has_ended(1000.0, position=4, highwater=4)


def test_with_an_idle_time_reading_ends_only_after_silence() -> None:
    """The end offset and the high watermark may both be too low."""
    progress = _progress(end=5, idle_seconds=1.2)
    assert not progress.has_ended(0.1, position=5, highwater=5)
    progress.moved = 1.0
    assert not progress.has_ended(2.0, position=9, highwater=9)
    assert progress.has_ended(2.3, position=9, highwater=9)


def test_with_an_idle_time_silence_before_the_high_watermark_does_not_end_reading() -> None:
    """A broker that is slow, or has not answered a fetch yet, may have more records."""
    progress = _progress(idle_seconds=1.2)
    assert not progress.has_ended(20.0, position=4, highwater=5)
    assert not progress.has_ended(20.0, position=0, highwater=None)


def test_with_an_idle_time_a_topic_that_is_written_all_the_time_has_an_end_too() -> None:
    """Records that arrive some seconds after the reader has caught up were written after reading began."""
    progress = _progress(idle_seconds=1.2)
    ends = []
    for second in range(8):
        progress.moved = second
        ends.append(progress.has_ended(second, position=second, highwater=second))
    assert ends.index(True) == 5


@pytest.fixture
def reader(broker: Broker) -> TopicReader:
    """A reader with the idle time that this broker needs."""
    return TopicReader({"bootstrap_servers": broker.bootstrap_servers}, idle_seconds=broker.read_idle_time)


@pytest.fixture
async def kafka(broker: Broker) -> AsyncIterator[KafkaClient]:
    """Another client."""
    async with KafkaClient(broker.bootstrap_servers) as client:
        yield client


@pytest.fixture
async def topic(broker: Broker, deployment: str) -> str:
    """A topic of the test's own, with two partitions."""
    await broker.create_topics([deployment], partitions=2)
    return deployment


async def _offsets(reader: TopicReader, topic: str, wanted: OffsetRange | None = None) -> list[int]:
    async with aclosing(reader.read(topic, {0: wanted or OffsetRange()})) as records:
        return [record.offset async for record in records]


async def test_topics_are_listed_without_creating_any(reader: TopicReader, broker: Broker, deployment: str) -> None:
    """A broker may create a topic that a client asks for by its name."""
    await broker.create_topics([deployment], partitions=3)
    assert (await reader.topics())[deployment] == {0, 1, 2}
    assert f"{deployment}-dlt" not in await reader.topics()


@pytest.mark.parametrize(
    ("ranges", "found"),
    [({0: OffsetRange(3, 5)}, [3, 4, 5]), ({0: OffsetRange(7), 1: OffsetRange()}, [7, 8, 9]), ({}, [])],
)
async def test_exactly_the_wanted_offsets_are_read_in_their_order(
    reader: TopicReader, kafka: KafkaClient, topic: str, ranges: dict[int, OffsetRange], found: list[int]
) -> None:
    """Neither offsets before the range nor after it."""
    await kafka.send_all(topic, [str(number) for number in range(10)], partition=0)
    async with aclosing(reader.read(topic, ranges)) as records:
        assert [record.offset async for record in records] == found


async def test_a_topic_is_read_to_its_end_at_once_however_its_records_are_batched(
    reader: TopicReader, kafka: KafkaClient, topic: str
) -> None:
    """The embedded broker was seen to return the first offset of the last batch as the end offset."""
    await kafka.send_all(topic, ["x" * 100] * 3000, partition=0)
    for size in (1, 2, 1):
        await kafka.send_all(topic, ["y"] * size, partition=0)
    assert await _offsets(reader, topic) == list(range(3004))


async def test_offsets_after_the_end_are_not_there_and_need_no_waiting(
    reader: TopicReader, kafka: KafkaClient, topic: str
) -> None:
    """The caller may ask for dead letters that are not written yet."""
    await kafka.send(topic, "only", partition=0)
    assert await asyncio.wait_for(_offsets(reader, topic, OffsetRange(700, 800)), 20) == []


async def test_reading_ends_in_a_topic_that_is_written_all_the_time(
    reader: TopicReader, kafka: KafkaClient, topic: str
) -> None:
    """What was written before reading began is read; how much of the rest is, does not matter."""
    await kafka.send_all(topic, ["before"] * 10, partition=0)

    async def keep_writing() -> None:
        while True:
            await kafka.send(topic, "meanwhile", partition=0)

    writing = asyncio.create_task(keep_writing())
    try:
        offsets = await asyncio.wait_for(_offsets(reader, topic), 20)
    finally:
        writing.cancel()
        await asyncio.gather(writing, return_exceptions=True)
    assert offsets[:10] == list(range(10))
    assert offsets == list(range(len(offsets)))


async def _send_in_transactions(broker: Broker, topic: str) -> None:
    producer = AIOKafkaProducer(bootstrap_servers=broker.bootstrap_servers, transactional_id=topic)
    try:
        await producer.start()
        for end in (producer.commit_transaction, producer.abort_transaction, producer.commit_transaction):
            await producer.begin_transaction()
            await producer.send_and_wait(topic, b"value", partition=0)
            await end()
    finally:
        await producer.stop()


async def test_transaction_markers_at_the_end_of_a_topic_do_not_delay_its_end(
    reader: TopicReader, broker: Broker, topic: str
) -> None:
    """A marker has an offset, but the consumer never returns it."""
    if not broker.idempotent:
        pytest.skip("the embedded broker has no transactions")
    await _send_in_transactions(broker, topic)
    assert await asyncio.wait_for(_offsets(reader, topic), 20) == [0, 2, 4]
    assert await asyncio.wait_for(_offsets(reader, topic, OffsetRange(5)), 20) == []


async def test_records_that_retention_has_deleted_are_passed_over(
    reader: TopicReader, kafka: KafkaClient, broker: Broker, topic: str
) -> None:
    """Reading begins with the oldest record that is left, and ends at once where none is."""
    if not broker.idempotent:
        pytest.skip("the embedded broker does not delete records")
    await kafka.send_all(topic, ["value"] * 10, partition=0)
    for deleted in (6, 10):
        await _delete_records(broker, topic, deleted)
        for first in (0, 3):
            found = await asyncio.wait_for(_offsets(reader, topic, OffsetRange(first)), 20)
            assert found == list(range(deleted, 10))


async def _delete_records(broker: Broker, topic: str, before: int) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=broker.bootstrap_servers)
    try:
        await admin.start()
        await admin.delete_records({TopicPartition(topic, 0): RecordsToDelete(before)})
    finally:
        await admin.close()


async def test_following_goes_on_where_reading_would_end(reader: TopicReader, kafka: KafkaClient, topic: str) -> None:
    """Empty polls are yielded too, so that the caller can look at the position and stop."""
    await kafka.send_all(topic, ["before"] * 3, partition=0)
    offsets, positions = [], []
    async with aclosing(reader.follow(topic, 0, first=1)) as polls:
        async for records, position in polls:
            offsets += [record.offset for record in records]
            positions.append(position)
            if position == 4:
                break
            if not records and offsets == [1, 2]:
                await kafka.send(topic, "later", partition=0)
    assert offsets == [1, 2, 3]
    assert positions == sorted(positions)
    assert 3 in positions


@pytest.mark.parametrize("method", ["read", "follow"])
async def test_a_reader_that_is_cancelled_leaves_no_consumer_open(
    reader: TopicReader, broker: Broker, deployment: str, method: str
) -> None:
    """A consumer that is not closed warns when it is collected, and pytest makes an error of that."""
    await broker.create_topics([deployment])

    async def use() -> None:
        records = reader.read(deployment, {0: OffsetRange()}) if method == "read" else reader.follow(deployment, 0)
        async with aclosing(records):
            async for _ in records:
                pass

    for delay in (0.0, 0.01, 0.05, 0.3):
        task = asyncio.create_task(use())
        await asyncio.sleep(delay)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    gc.collect()
