# SPDX-License-Identifier: GPL-3.0-or-later
"""Remembers which dead letters were sent again: a compacted topic with one record for each.

Offsets committed by a group would tell only up to where a partition was replayed; whoever picks single letters, or
those with a certain error, leaves holes. Where a topic was deleted and made anew, its offsets begin from zero again, so
the time at which a dead letter was written is a part of its name here.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass

from investigator.delivery.origin import Origin
from investigator.kafka.producer import DurableProducer, RecordLocation
from investigator.kafka.topic_reader import OffsetRange, TopicReader


@dataclass(frozen=True)
class Replayed:
    """When a dead letter was sent again last, by whom, and where it lies now in its original topic.

    ``at`` is in seconds since 1970.
    """

    at: float
    by: str
    partition: int
    offset: int


class ReplayLog:
    """The memory of replays; several consumer groups may share it, as they share the dead-letter topics.

    Args:
        topic: where it lies; made before anything is noted.
        reader: reads it.
        writer: writes it.
    """

    def __init__(self, topic: str, reader: TopicReader, writer: DurableProducer) -> None:
        self._topic = topic
        self._reader = reader
        self._writer = writer

    async def replayed(self) -> Mapping[Origin, Replayed]:
        """Tell which dead letters were sent again, by their place; where the topic does not exist, none was."""
        partitions = (await self._reader.topics()).get(self._topic, frozenset())
        spans = {number: OffsetRange() for number in partitions}
        return {
            _place(record.key): Replayed(**json.loads(record.value))
            async for record in self._reader.read(self._topic, spans)
        }

    async def note(self, place: Origin, written: RecordLocation, *, at: float, by: str) -> None:
        """Remember that the dead letter at that place was sent again; returns when all replicas know."""
        replayed = Replayed(at, by, written.partition, written.offset)
        await self._writer.write(self._topic, json.dumps(asdict(replayed)).encode(), key=_key(place), partition=0)


def _key(place: Origin) -> bytes:
    return f"{place.topic}/{place.partition}/{place.offset}/{place.timestamp_ms}".encode()


def _place(key: bytes) -> Origin:
    topic, *numbers = key.decode().rsplit("/", 3)
    return Origin(topic, *map(int, numbers))
