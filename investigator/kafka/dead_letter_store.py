# SPDX-License-Identifier: GPL-3.0-or-later
"""Access to dead letters for operators: read them, and replay them to the topics that they came from."""

import asyncio
import time
from collections.abc import AsyncGenerator, Callable, Collection, Iterable, Mapping
from contextlib import aclosing

from aiokafka import ConsumerRecord
from aiokafka.errors import UnknownTopicOrPartitionError

from investigator.delivery.dead_letters import dead_letter_topic
from investigator.delivery.origin import Origin
from investigator.delivery.replay import DeadLetter, ReplayPolicy, replay_headers
from investigator.delivery.replay_proof import Record, ReplayProof
from investigator.kafka.producer import DurableProducer, RecordLocation
from investigator.kafka.replay_codec import Replayed
from investigator.kafka.replay_log import ReplayLog
from investigator.kafka.topic_reader import OffsetRange, TopicReader


class DeadLetterStore:
    """All dead-letter topics of a deployment.

    Args:
        reader: reads them.
        producer: writes the replays; all replicas acknowledge each.
        log: records which dead letters were replayed.
        proof: proves to workers that a message is a replay.
    """

    def __init__(self, reader: TopicReader, producer: DurableProducer, log: ReplayLog, proof: ReplayProof) -> None:
        self._reader = reader
        self._producer = producer
        self._log = log
        self._proof = proof
        self._partitions: dict[str, frozenset[int]] = {}

    async def topics(self, topics: Iterable[str]) -> list[str]:
        """Return those dead-letter topics of these topics that exist; the first dead letter creates one."""
        self._partitions = await self._reader.topics()
        return [topic for topic in map(dead_letter_topic, topics) if topic in self._partitions]

    async def replayed(self) -> Mapping[Origin, Replayed]:
        """Return which dead letters were replayed before, by their position."""
        return await self._log.replayed()

    async def read(
        self, topic: str, partition: int | None = None, first: int = 0, last: int | None = None
    ) -> AsyncGenerator[DeadLetter, None]:
        """Yield the dead letters of an existing topic, in one partition or all, with offsets from first to last."""
        partitions = self._partitions[topic] if partition is None else self._partitions[topic] & {partition}
        async with aclosing(self._reader.read(topic, dict.fromkeys(partitions, OffsetRange(first, last)))) as records:
            async for record in records:
                yield _dead_letter(record)

    async def send(  # noqa: PLR0913  the choice of records, the way to replay them, and the callback
        self,
        topic: str,
        offsets: Mapping[int, Collection[int]],
        policy: ReplayPolicy,
        *,
        by: str,
        rate: float | None,
        on_sent: Callable[[], None],
    ) -> None:
        """Replay dead letters, one after the other; each is recorded in the replay log before the next is sent.

        A crash between sending and recording may send one of them twice. Both have the same origin, and workers derive
        the ids of workflows from that, so the second one has no further effect.

        Args:
            topic: a dead-letter topic.
            offsets: the offsets of the dead letters to replay, by partition.
            policy: which consumer groups handle the replays.
            by: the operator, for the replay log.
            rate: the maximum number of replays per second; None for no limit.
            on_sent: called after each replay.

        Raises:
            KafkaError: the broker can't be reached or refuses; the log has every replay that was sent until then.
        """
        ranges = {partition: OffsetRange(min(each), max(each)) for partition, each in offsets.items()}
        async with aclosing(self._reader.read(topic, ranges)) as records:
            async for record in records:
                if record.offset in offsets[record.partition]:
                    started = time.monotonic()
                    await self._send(_dead_letter(record), policy, by)
                    on_sent()
                    await asyncio.sleep(_pause(rate, time.monotonic() - started))

    async def _send(self, dead_letter: DeadLetter, policy: ReplayPolicy, by: str) -> None:
        written = await self._write(dead_letter, policy.addressee)
        await self._log.append(dead_letter.position, written, at=time.time(), by=by)

    async def _write(self, dead_letter: DeadLetter, group: str | None) -> RecordLocation:
        original = dead_letter.original
        if original is None or original.topic not in self._partitions:
            raise UnknownTopicOrPartitionError(
                f"the original topic of {dead_letter.position} is unknown or does not exist"
            )
        # Into its own partition: the producer may have chosen it by another partitioner, for all messages of that key.
        exists = original.partition in self._partitions[original.topic]
        headers = replay_headers(dead_letter, group)
        replay = Record(original.topic, dead_letter.key, dead_letter.value, headers)
        return await self._producer.write(
            replay.topic,
            replay.value,
            key=replay.key,
            partition=original.partition if exists else None,
            headers=(*headers, *self._proof.header(replay)),
        )


def _dead_letter(record: ConsumerRecord) -> DeadLetter:
    position = Origin(record.topic, record.partition, record.offset, record.timestamp)
    return DeadLetter(position, record.key, record.value, tuple(record.headers))


def _pause(rate: float | None, elapsed: float) -> float:
    return 0.0 if rate is None else max(0.0, 1 / rate - elapsed)
