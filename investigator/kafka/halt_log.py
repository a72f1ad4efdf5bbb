# SPDX-License-Identifier: GPL-3.0-or-later
"""The halt log: a compacted topic with one partition that all workers of a consumer group write and read.

A worker accepts no message before it is in sync with the log. To know when it is, it writes a marker record and reads
until it has passed that record: then it has read every halt that was acknowledged before. An end offset proves less:
around a leader election, a broker may return one that is too low (KIP-207).
"""

import asyncio
import json
import uuid
from collections.abc import Callable
from contextlib import aclosing

from aiokafka import ConsumerRecord
from aiokafka.errors import KafkaError
from mode import Service

from investigator.delivery.halt_coordinator import HaltCoordinator
from investigator.delivery.halts import HaltKey, HaltRecord
from investigator.delivery.origin import MessagePosition
from investigator.kafka.producer import DurableProducer
from investigator.kafka.topic_reader import OffsetRange, TopicReader

_PARTITION = 0
_RETRY_SECONDS = 1.0


class KafkaHaltLog(Service):
    """Writes halts, and feeds the halt coordinator with those of the whole group.

    Args:
        topic: the name of the log's topic.
        group: the consumer group; the log may hold the halts of several groups.
        reader: follows the log.
        producer: writes the records.
    """

    def __init__(self, topic: str, group: str, reader: TopicReader, producer: DurableProducer) -> None:
        super().__init__()
        self._halt_coordinator: HaltCoordinator
        self._topic = topic
        self._group = group
        self._reader = reader
        self._producer = producer
        self._unwritten: asyncio.Queue[tuple[bytes, bytes | None, Callable[[int], None]]] = asyncio.Queue()
        # Ends with the marker record; without an end until that is written.
        self._until_synced = OffsetRange()
        self._position = 0

    def feed(self, halt_coordinator: HaltCoordinator) -> None:
        """Pass every halt of the group to the coordinator, from the start of the log on."""
        self._halt_coordinator = halt_coordinator

    def publish(self, key: HaltKey, halt: HaltRecord | None, on_written: Callable[[int], None]) -> None:
        """Write the new value of a key, with retries until the broker has it; then pass on the record's offset."""
        value = None if halt is None else halt.to_json()
        self._unwritten.put_nowait((self._record_key(key.topic, *key.position or ()), value, on_written))

    def _record_key(self, *name: str | int) -> bytes:
        return json.dumps([self._group, *name]).encode()

    @Service.task
    async def _write(self) -> None:
        self._unwritten.put_nowait((self._record_key(), uuid.uuid4().bytes, self._set_marker))
        while not self.should_stop:
            key, value, on_written = await self._unwritten.get()
            on_written(await self._write_with_retries(key, value))

    async def _write_with_retries(self, key: bytes, value: bytes | None) -> int:
        while True:
            try:
                written = await self._producer.write(self._topic, value, key=key, partition=_PARTITION)
            except KafkaError as error:
                self.log.warning("Could not write to the halt log; will retry error=%r", error)
                await asyncio.sleep(_RETRY_SECONDS)
            else:
                return written.offset

    def _set_marker(self, offset: int) -> None:
        self._until_synced = OffsetRange(last=offset)

    @Service.task
    async def _read(self) -> None:
        while not self.should_stop:
            try:
                await self._follow()
            except KafkaError as error:
                self.log.warning("Could not read the halt log; will retry error=%r", error)
                await asyncio.sleep(_RETRY_SECONDS)

    async def _follow(self) -> None:
        async with aclosing(self._reader.follow(self._topic, _PARTITION, self._position)) as polls:
            async for records, position in polls:
                for record in records:
                    self._apply(record)
                if self._until_synced.is_read(position):
                    self._halt_coordinator.synced.set()
                if self.should_stop:
                    return

    def _apply(self, record: ConsumerRecord) -> None:
        self._position = record.offset + 1
        try:
            key = self._halt_key(record.key or b"[]")
            halt = HaltRecord.from_json(record.value) if key and record.value is not None else None
        except (ValueError, KeyError, TypeError) as error:
            self.log.warning("Skipped an invalid record of the halt log offset=%s error=%r", record.offset, error)
            key = None
        if key is None:
            self._halt_coordinator.record_read(record.offset)
        else:
            self._halt_coordinator.apply(key, halt, record.offset)

    def _halt_key(self, key: bytes) -> HaltKey | None:
        """Return the key of a halt; None for records of other groups and for marker records."""
        group, *name = json.loads(key) or [None]
        if group != self._group or not name:
            return None
        topic, *position = name
        return HaltKey(topic, MessagePosition(*position) if position else None)
