# SPDX-License-Identifier: GPL-3.0-or-later
"""The log of halts: a compacted topic with one partition that all workers of a consumer group write and read.

A worker takes up no message before it has read the log to the end. Where the end is, it learns by writing a record of
its own and reading until it meets it: that holds whatever a broker answers when it is asked for the end.
"""

import asyncio
import json
import uuid
from collections.abc import Callable, Mapping
from typing import Any

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.errors import KafkaError
from mode import Service

from investigator.delivery.halt_coordinator import HaltCoordinator
from investigator.delivery.halts import HaltKey, HaltRecord
from investigator.delivery.origin import MessagePosition
from investigator.kafka.producer import DurableProducer

_RETRY_SECONDS = 1.0


class KafkaHaltLog(Service):
    """Writes halts and feeds the board with those of the whole group.

    Args:
        topic: the name of the log's topic.
        group: the consumer group; the log may hold the halts of several.
        options: how to reach the broker, as aiokafka's clients take it.
        writer: writes the records.
    """

    def __init__(self, topic: str, group: str, options: Mapping[str, Any], writer: DurableProducer) -> None:
        super().__init__()
        self._halt_coordinator: HaltCoordinator
        self._partition = TopicPartition(topic, 0)
        self._group = group
        self._options = options
        self._writer = writer
        self._to_write: asyncio.Queue[tuple[bytes, bytes | None, Callable[[int], None]]] = asyncio.Queue()
        self._end: int | None = None
        self._read_up_to: int | None = None

    def feed(self, halt_coordinator: HaltCoordinator) -> None:
        """Give every halt of the group to the board from the start on."""
        self._halt_coordinator = halt_coordinator

    def publish(self, register: HaltKey, entry: HaltRecord | None, on_written: Callable[[int], None]) -> None:
        """Write what the register is to hold, however often that has to be tried, then tell the record's offset."""
        value = None if entry is None else entry.to_json()
        self._to_write.put_nowait((self._key(register.topic, *register.position or ()), value, on_written))

    def _key(self, *name: str | int) -> bytes:
        return json.dumps([self._group, *name]).encode()

    @Service.task
    async def _write(self) -> None:
        self._to_write.put_nowait((self._key(), uuid.uuid4().bytes, self._set_end))
        while not self.should_stop:
            key, value, on_written = await self._to_write.get()
            on_written(await self._written(key, value))

    async def _written(self, key: bytes, value: bytes | None) -> int:
        while True:
            try:
                written = await self._writer.write(self._partition.topic, value, key=key, partition=0)
            except KafkaError as error:
                self.log.warning("A halt or resume is not written yet, will be tried again: %r", error)
                await asyncio.sleep(_RETRY_SECONDS)
            else:
                return written.offset

    def _set_end(self, offset: int) -> None:
        self._end = offset

    @Service.task
    async def _read(self) -> None:
        while not self.should_stop:
            try:
                await self._follow()
            except KafkaError as error:
                self.log.warning("The log of halts can't be read, will be tried again: %r", error)
                await asyncio.sleep(_RETRY_SECONDS)

    async def _follow(self) -> None:
        consumer = AIOKafkaConsumer(**self._options, group_id=None, auto_offset_reset="earliest")
        try:
            await consumer.start()
            consumer.assign([self._partition])
            await self._seek(consumer)
            while not self.should_stop:
                for records in (await consumer.getmany(timeout_ms=200)).values():
                    for record in records:
                        self._apply(record)
                self._look_for_end(await consumer.position(self._partition))
        finally:
            await consumer.stop()

    async def _seek(self, consumer: AIOKafkaConsumer) -> None:
        if self._read_up_to is None:
            await consumer.seek_to_beginning(self._partition)
        else:
            consumer.seek(self._partition, self._read_up_to + 1)

    def _apply(self, record: ConsumerRecord) -> None:
        self._read_up_to = record.offset
        try:
            register = self._register(record.key or b"[]")
            entry = HaltRecord.from_json(record.value) if register and record.value is not None else None
        except (ValueError, KeyError, TypeError) as error:
            self.log.warning("Passed over a record of the log of halts at offset %s: %r", record.offset, error)
            register = None
        if register is None:
            self._halt_coordinator.note_read(record.offset)
        else:
            self._halt_coordinator.apply(register, entry, record.offset)

    def _register(self, key: bytes) -> HaltKey | None:
        """Give what the record is about; None for other groups and for the marks of where the end is."""
        group, *name = json.loads(key) or [None]
        if group != self._group or not name:
            return None
        topic, *place = name
        return HaltKey(topic, MessagePosition(*place) if place else None)

    def _look_for_end(self, position: int) -> None:
        if self._end is not None and position > self._end:
            self._halt_coordinator.synced.set()
