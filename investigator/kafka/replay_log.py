# SPDX-License-Identifier: GPL-3.0-or-later
"""The replay log: a compacted topic with one record for each dead letter that was replayed.

Committed offsets would not do: an operator may replay single dead letters, or those with a certain error, and leave
others between them. A topic that was deleted and recreated has the same offsets again, so a key of this log also holds
the timestamp of the dead letter.
"""

import json
from collections.abc import Mapping
from contextlib import aclosing
from dataclasses import asdict, dataclass

from investigator.delivery.origin import Origin
from investigator.kafka.producer import DurableProducer, RecordLocation
from investigator.kafka.topic_reader import OffsetRange, TopicReader


@dataclass(frozen=True)
class Replayed:
    """The last replay of a dead letter.

    Attributes:
        at: when it was sent, in seconds since 1970.
        by: the operator who replayed it.
        partition: the partition of the replay in the original topic.
        offset: its offset there.
    """

    at: float
    by: str
    partition: int
    offset: int


class ReplayLog:
    """Reads and writes the replay log. Consumer groups that share dead-letter topics share it too.

    Args:
        topic: the name of the log's topic; it must exist before `append` is called.
        reader: reads the log.
        producer: writes the log.
    """

    def __init__(self, topic: str, reader: TopicReader, producer: DurableProducer) -> None:
        self._topic = topic
        self._reader = reader
        self._producer = producer

    async def replayed(self) -> Mapping[Origin, Replayed]:
        """Return the last replay of each dead letter, by its position; empty where the log's topic does not exist."""
        partitions = (await self._reader.topics()).get(self._topic, frozenset())
        ranges = {number: OffsetRange() for number in partitions}
        async with aclosing(self._reader.read(self._topic, ranges)) as records:
            return {_position(record.key): Replayed(**json.loads(record.value)) async for record in records}

    async def append(self, position: Origin, written: RecordLocation, *, at: float, by: str) -> None:
        """Record that the dead letter at that position was replayed; return once all replicas have the record."""
        replayed = Replayed(at, by, written.partition, written.offset)
        await self._producer.write(self._topic, json.dumps(asdict(replayed)).encode(), key=_key(position), partition=0)


def _key(position: Origin) -> bytes:
    return f"{position.topic}/{position.partition}/{position.offset}/{position.timestamp_ms}".encode()


def _position(key: bytes) -> Origin:
    topic, *numbers = key.decode().rsplit("/", 3)
    return Origin(topic, *map(int, numbers))
