# SPDX-License-Identifier: GPL-3.0-or-later
import pytest

from investigator.kafka.topic_reader import OffsetRange, TopicReader, _Progress
from sandbox.broker import Broker
from sandbox.kafka_client import KafkaClient


def test_a_span_has_both_of_its_ends_in_it() -> None:
    """Offset 0 is an end like any other."""
    assert [offset for offset in range(5) if offset in OffsetRange(1, 3)] == [1, 2, 3]
    assert [offset for offset in range(5) if offset in OffsetRange(0, 0)] == [0]
    assert [offset for offset in range(5) if offset in OffsetRange(3)] == [3, 4]


def test_a_span_that_was_read_is_the_end() -> None:
    """Nothing is waited for beyond what was asked for."""
    assert _Progress(OffsetRange(0, 4), moved=0.0).has_ended(0.0, position=5, highwater=900)
    assert not _Progress(OffsetRange(0, 4), moved=0.0).has_ended(9.0, position=4, highwater=900)


def test_the_end_is_where_nothing_more_comes() -> None:
    """A high watermark may be old; only a while of silence behind it is the end."""
    reading = _Progress(OffsetRange(), moved=0.0)
    assert not reading.has_ended(0.1, position=5, highwater=5)
    reading.moved = 1.0
    assert not reading.has_ended(2.0, position=9, highwater=9)
    assert reading.has_ended(2.3, position=9, highwater=9)


def test_silence_before_the_high_watermark_is_not_the_end() -> None:
    """A broker that is slow, or has not answered at all yet, has more to give."""
    reading = _Progress(OffsetRange(), moved=0.0)
    assert not reading.has_ended(20.0, position=4, highwater=5)
    assert not reading.has_ended(20.0, position=0, highwater=None)


def test_a_topic_that_is_written_all_the_time_has_an_end_too() -> None:
    """What comes after some seconds of catching up came after the question."""
    reading = _Progress(OffsetRange(), moved=0.0)
    ends = []
    for second in range(8):
        reading.moved = second
        ends.append(reading.has_ended(second, position=second, highwater=second))
    assert ends.index(True) == 5


async def test_topics_are_told_without_making_any(broker: Broker, deployment: str) -> None:
    """A broker may create a topic that is asked for by its name."""
    await broker.create_topics([deployment], partitions=3)
    reader = TopicReader({"bootstrap_servers": broker.bootstrap_servers})
    assert (await reader.topics())[deployment] == {0, 1, 2}
    assert f"{deployment}-dlt" not in await reader.topics()


@pytest.mark.parametrize(
    ("spans", "found"),
    [({0: OffsetRange(3, 5)}, [3, 4, 5]), ({0: OffsetRange(7), 1: OffsetRange()}, [7, 8, 9]), ({}, [])],
)
async def test_exactly_what_is_asked_for_is_read(
    broker: Broker, deployment: str, spans: dict[int, OffsetRange], found: list[int]
) -> None:
    """Neither what lies before nor what lies behind, in the order of the offsets."""
    await broker.create_topics([deployment], partitions=2)
    async with KafkaClient(broker.bootstrap_servers) as kafka:
        await kafka.send_all(deployment, [str(number) for number in range(10)], partition=0)
    reader = TopicReader({"bootstrap_servers": broker.bootstrap_servers})
    assert [record.offset async for record in reader.read(deployment, spans)] == found
