# SPDX-License-Identifier: GPL-3.0-or-later
"""Dead letters for operators: reading them, and sending them again to the topics that they came from."""

import asyncio
import time
from collections.abc import AsyncGenerator, Callable, Collection, Iterable, Mapping
from contextlib import aclosing

from aiokafka import ConsumerRecord
from aiokafka.errors import UnknownTopicOrPartitionError

from investigator.delivery.dead_letters import dead_letter_topic
from investigator.delivery.origin import Origin
from investigator.delivery.replay import DeadLetter, ReplayPolicy, replay_headers
from investigator.kafka.producer import DurableProducer, RecordLocation
from investigator.kafka.replay_log import Replayed, ReplayLog
from investigator.kafka.topic_reader import OffsetRange, TopicReader


class DeadLetterStore:
    """All dead-letter topics of a deployment.

    Args:
        reader: reads them.
        writer: writes the replays; each is acknowledged by all replicas.
        log: remembers what was sent again.
    """

    def __init__(self, reader: TopicReader, writer: DurableProducer, log: ReplayLog) -> None:
        self._reader = reader
        self._writer = writer
        self._log = log
        self._partitions: dict[str, frozenset[int]] = {}

    async def topics(self, topics: Iterable[str]) -> list[str]:
        """Give the dead-letter topics of these topics, as far as they exist; a topic gets its first by a failure."""
        self._partitions = await self._reader.topics()
        return [twin for twin in map(dead_letter_topic, topics) if twin in self._partitions]

    async def replayed(self) -> Mapping[Origin, Replayed]:
        """Tell which dead letters were sent again before, by their place."""
        return await self._log.replayed()

    async def read(
        self, twin: str, partition: int | None = None, first: int = 0, last: int | None = None
    ) -> AsyncGenerator[DeadLetter, None]:
        """Give the dead letters of a topic that exists: of one partition or all, with offsets from first to last."""
        partitions = self._partitions[twin] if partition is None else self._partitions[twin] & {partition}
        async with aclosing(self._reader.read(twin, dict.fromkeys(partitions, OffsetRange(first, last)))) as records:
            async for record in records:
                yield _letter(record)

    async def send(  # noqa: PLR0913  what, how, and who is to know
        self,
        twin: str,
        offsets: Mapping[int, Collection[int]],
        policy: ReplayPolicy,
        *,
        by: str,
        rate: float | None,
        on_sent: Callable[[], None],
    ) -> None:
        """Send dead letters again, one after the other; each is remembered before the next is sent.

        A crash in between may send one of them twice: it is the same message by its origin, so that nothing is done
        twice for it either.

        Args:
            twin: a dead-letter topic.
            offsets: which of its records, by partition.
            policy: who is to handle them.
            by: who sends them.
            rate: at most so many a second; None for as fast as the broker takes them.
            on_sent: called after each of them.

        Raises:
            KafkaError: the broker can't be reached or refuses; what was sent is remembered.
        """
        spans = {partition: OffsetRange(min(each), max(each)) for partition, each in offsets.items()}
        async with aclosing(self._reader.read(twin, spans)) as records:
            async for record in records:
                if record.offset in offsets[record.partition]:
                    began = time.monotonic()
                    await self._send(_letter(record), policy, by)
                    on_sent()
                    await asyncio.sleep(_pause(rate, time.monotonic() - began))

    async def _send(self, letter: DeadLetter, policy: ReplayPolicy, by: str) -> None:
        written = await self._write(letter, policy.addressee)
        await self._log.note(letter.position, written, at=time.time(), by=by)

    async def _write(self, letter: DeadLetter, group: str | None) -> RecordLocation:
        original = letter.original
        if original is None or original.topic not in self._partitions:
            raise UnknownTopicOrPartitionError(f"{letter.position} has no topic to go back to")
        # Back to its own partition: other messages with its key may be there, whatever partitioner put them there.
        there = original.partition in self._partitions[original.topic]
        return await self._writer.write(
            original.topic,
            letter.value,
            key=letter.key,
            partition=original.partition if there else None,
            headers=replay_headers(letter, group),
        )


def _letter(record: ConsumerRecord) -> DeadLetter:
    place = Origin(record.topic, record.partition, record.offset, record.timestamp)
    return DeadLetter(place, record.key, record.value, tuple(record.headers))


def _pause(rate: float | None, took: float) -> float:
    return 0.0 if rate is None else max(0.0, 1 / rate - took)
