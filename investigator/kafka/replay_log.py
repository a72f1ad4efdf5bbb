# SPDX-License-Identifier: GPL-3.0-or-later
"""The replay log: a compacted topic with one record for each dead letter that was replayed.

Committed offsets would not do: an operator may replay single dead letters, or those with a certain error, and leave
others between them. A topic that was deleted and recreated has the same offsets again, so a key of this log also holds
the timestamp of the dead letter.
"""

import logging
from collections.abc import Mapping
from contextlib import aclosing

from aiokafka import ConsumerRecord

from investigator.delivery.origin import Origin
from investigator.kafka.log_records import InvalidRecordError, InvalidRecords
from investigator.kafka.producer import DurableProducer, RecordLocation
from investigator.kafka.replay_codec import Replayed, decode_key, decode_value, encode_key, encode_value
from investigator.kafka.topic_reader import OffsetRange, TopicReader

_LOGGER = logging.getLogger(__name__)


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
            invalid = InvalidRecords("replay", _LOGGER)
            return dict([each async for record in records if (each := _decoded(record, invalid)) is not None])

    async def append(self, position: Origin, written: RecordLocation, *, at: float, by: str) -> None:
        """Record that the dead letter at that position was replayed; return once all replicas have the record."""
        replayed = Replayed(at, by, written.partition, written.offset)
        await self._producer.write(self._topic, encode_value(replayed), key=encode_key(position), partition=0)


def _decoded(record: ConsumerRecord, invalid: InvalidRecords) -> tuple[Origin, Replayed] | None:
    try:
        return decode_key(record.key), decode_value(record.value)
    except InvalidRecordError as error:
        invalid.add(record.offset, error)
        return None
