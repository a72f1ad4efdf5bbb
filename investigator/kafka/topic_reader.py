# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads topics up to their end, as no member of any group: for operators' commands.

Where the end is, a broker may answer wrongly when it is asked for the latest offset (one was seen to name the start of
the last batch). So the end is where reading has reached the high watermark that came with the records, and asking on
for a while brought nothing more.
"""

import asyncio
from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass, field
from typing import Any

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaTimeoutError

# A fetch that finds nothing is answered after half a second: in this time the broker was asked again at least once.
_IDLE_SECONDS = 1.2
# A topic that is written all the time is never quiet; what comes this late came after the question.
_CATCHING_UP_SECONDS = 5.0
# The broker has answered before, so this is a fault in between, not a slow start.
_PATIENCE_SECONDS = 30.0
_LOOK_MS = 200
_RECORDS = 500


@dataclass(frozen=True)
class OffsetRange:
    """Offsets of a partition, the last one included; None is no bound."""

    first: int = 0
    last: int | None = None

    def __contains__(self, offset: object) -> bool:
        """Tell whether an offset is wanted."""
        return isinstance(offset, int) and self.first <= offset and (self.last is None or offset <= self.last)


@dataclass
class _Progress:
    """How far a partition is read; times in the event loop's seconds."""

    span: OffsetRange
    moved: float
    caught_up: float | None = field(default=None, init=False)

    def has_ended(self, now: float, position: int, highwater: int | None) -> bool:
        if self.span.last is not None and position > self.span.last:
            return True
        if highwater is None or position < highwater:
            return False
        self.caught_up = now if self.caught_up is None else self.caught_up
        return now - self.moved >= _IDLE_SECONDS or now - self.caught_up >= _CATCHING_UP_SECONDS


class TopicReader:
    """Reads topics.

    Args:
        options: how to reach the broker, as aiokafka's clients take it.
    """

    def __init__(self, options: Mapping[str, Any]) -> None:
        self._options = options

    async def topics(self) -> dict[str, frozenset[int]]:
        """Give the partitions of every topic; to ask for one by its name might create it."""
        client = AIOKafkaAdminClient(**self._options)
        try:
            await client.start()
            described = await client.describe_topics()
        finally:
            await client.close()
        return {each["topic"]: frozenset(part["partition"] for part in each["partitions"]) for each in described}

    async def read(self, topic: str, spans: Mapping[int, OffsetRange]) -> AsyncGenerator[ConsumerRecord, None]:
        """Give the records of some partitions, each partition in its order.

        Args:
            topic: a topic that exists.
            spans: what is wanted, by partition.

        Raises:
            KafkaError: the broker can't be reached, refuses, or stops answering.
        """
        if not spans:
            return
        options = {**self._options, "group_id": None, "auto_offset_reset": "earliest", "max_poll_records": _RECORDS}
        consumer = AIOKafkaConsumer(**options)
        try:
            await consumer.start()
            consumer.assign([TopicPartition(topic, number) for number in spans])
            for number, span in spans.items():
                consumer.seek(TopicPartition(topic, number), span.first)
            async for record in _records(consumer, topic, spans):
                yield record
        finally:
            await consumer.stop()


async def _records(
    consumer: AIOKafkaConsumer, topic: str, spans: Mapping[int, OffsetRange]
) -> AsyncGenerator[ConsumerRecord, None]:
    clock = asyncio.get_running_loop().time
    left = {TopicPartition(topic, number): _Progress(span, clock()) for number, span in spans.items()}
    while left:
        for partition, records in (await consumer.getmany(*left, timeout_ms=_LOOK_MS)).items():
            reading = left[partition]
            for record in records:
                if record.offset in reading.span:
                    yield record
            reading.moved = clock()  # now, since whoever takes the records may take his time
        _raise_if_stuck(left, clock())
        for partition, reading in list(left.items()):
            position = await consumer.position(partition)
            if reading.has_ended(clock(), position, consumer.highwater(partition)):
                del left[partition]


def _raise_if_stuck(left: Mapping[TopicPartition, _Progress], now: float) -> None:
    if now - max(reading.moved for reading in left.values()) > _PATIENCE_SECONDS:
        names = ", ".join(f"{topic}[{number}]" for topic, number in left)
        raise KafkaTimeoutError(f"the broker gave nothing of {names} for {_PATIENCE_SECONDS:g} s, nor its end")
