# SPDX-License-Identifier: GPL-3.0-or-later
"""The halt log: a compacted topic with one partition that all workers of a consumer group write and read.

A worker accepts no message before it is in sync with the log. To know when it is, it writes a marker record and reads
until it has passed that record: then it has read every halt that was acknowledged before. An end offset proves less:
around a leader election, a broker may return one that is too low (KIP-207).
"""

import asyncio
import logging
import uuid
from collections.abc import Callable
from contextlib import aclosing

from aiokafka import ConsumerRecord
from aiokafka.errors import KafkaError
from mode import Service

from investigator.delivery.halt_coordinator import HaltCoordinator
from investigator.delivery.halts import HaltKey, LogEntry
from investigator.kafka.halt_codec import decode_entry, decode_key, encode_entry, encode_key, marker_key
from investigator.kafka.log_records import InvalidRecordError, InvalidRecords
from investigator.kafka.producer import DurableProducer, Headers
from investigator.kafka.topic_reader import OffsetRange, TopicReader

_PARTITION = 0
_RETRY_SECONDS = 1.0

# The topic must be missing twice: a broker that has just started may not know all topics yet.
_CHECK_SECONDS = 10.0
_CHECKS = 2

_Unwritten = tuple[bytes, bytes | None, Headers, Callable[[int], None]]


_LOST = (
    "The topic of the halt log is lost; the worker ends, and creates the topic again when it starts. Messages that "
    "failed are tried again then. Halt again what an operator had halted topic=%s reason=%s known_halts=%s"
)

_LOGGER = logging.getLogger(__name__)


class HaltLogLostError(Exception):
    """The topic of the halt log was deleted, or recreated, while the worker ran."""


class KafkaHaltLog(Service):
    """Writes halts, and feeds the halt coordinator with those of the whole group.

    Args:
        topic: the name of the log's topic.
        group: the consumer group; the log may hold the halts of several groups.
        reader: follows the log.
        producer: writes the records.
        count_invalid: called for each record that is not valid.
    """

    def __init__(
        self,
        topic: str,
        group: str,
        reader: TopicReader,
        producer: DurableProducer,
        count_invalid: Callable[[], None] | None = None,
    ) -> None:
        super().__init__()
        self._halt_coordinator: HaltCoordinator
        self._topic = topic
        self._group = group
        self._reader = reader
        self._producer = producer
        self._invalid = InvalidRecords("halt", _LOGGER, count_invalid)
        self._unwritten: asyncio.Queue[_Unwritten] = asyncio.Queue()
        # Ends with the marker record; without an end until that is written.
        self._until_synced = OffsetRange()
        self._position = 0

    def feed(self, halt_coordinator: HaltCoordinator) -> None:
        """Pass every halt of the group to the coordinator, from the start of the log on."""
        self._halt_coordinator = halt_coordinator

    def publish(self, key: HaltKey, entry: LogEntry, on_written: Callable[[int], None]) -> None:
        """Write the new value of a key, with retries until the broker has it; then pass on the record's offset."""
        self._unwritten.put_nowait((encode_key(self._group, key), *encode_entry(entry), on_written))

    @Service.task
    async def _write(self) -> None:
        self._unwritten.put_nowait((marker_key(self._group), uuid.uuid4().bytes, (), self._set_marker))
        while not self.should_stop:
            key, value, headers, on_written = await self._unwritten.get()
            on_written(await self._write_with_retries(key, value, headers))

    async def _write_with_retries(self, key: bytes, value: bytes | None, headers: Headers) -> int:
        while True:
            try:
                written = await self._producer.write(self._topic, value, key=key, partition=_PARTITION, headers=headers)
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
                if position < self._position:
                    await self._end(f"its offsets have started again: {position} after {self._position}")
                    return
                for record in records:
                    self._apply(record)
                if self._until_synced.is_read(position):
                    self._halt_coordinator.synced.set()
                if self.should_stop:
                    return

    def _apply(self, record: ConsumerRecord) -> None:
        self._position = record.offset + 1
        try:
            key = decode_key(record.key, self._group)
            entry = None if key is None else decode_entry(key, record.value, record.headers)
        except InvalidRecordError as error:
            self._invalid.add(record.offset, error)
            key = None
        if key is None:
            self._halt_coordinator.record_read(record.offset)
        else:
            self._halt_coordinator.apply(key, entry, record.offset)

    @Service.task
    async def _watch(self) -> None:
        missing = 0
        while not self.should_stop:
            await self.sleep(_CHECK_SECONDS)
            if not self.should_stop:
                missing = missing + 1 if await self._is_missing() else 0
            if missing >= _CHECKS:
                await self._end("the brokers do not list it any more: it was deleted, or the user may not see it")
                return

    async def _is_missing(self) -> bool:
        try:
            return self._topic not in await self._reader.topics()
        except (KafkaError, OSError):
            return False  # unknown while the brokers do not answer

    async def _end(self, reason: str) -> None:
        halted = ", ".join(self._halt_coordinator.table.topics()) or "none"
        _LOGGER.critical(_LOST, self._topic, reason, halted)
        await self.crash(HaltLogLostError(f"the topic {self._topic} of the halt log is lost: {reason}"))
