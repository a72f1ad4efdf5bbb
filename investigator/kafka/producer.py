# SPDX-License-Identifier: GPL-3.0-or-later
"""The producer of records that must not be lost: halts, dead letters, replays. All replicas acknowledge every write.

An idempotent producer numbers its records. Once the broker has refused one, it refuses all later ones of that
partition, because their sequence numbers do not follow. So after an error, later writes use a new connection.
"""

import asyncio
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeVar

from aiokafka import AIOKafkaProducer
from aiokafka.errors import (
    KafkaError,
    MessageSizeTooLargeError,
    OutOfOrderSequenceNumber,
    ProducerClosed,
    ProducerFenced,
)
from aiokafka.record.default_records import DefaultRecordBatchBuilder
from aiokafka.structs import RecordMetadata
from mode import Service

from investigator.delivery.dead_letters import MAX_HEADER_BYTES
from investigator.kafka.client_start import start_client
from investigator.kafka.internals import sender_task

T = TypeVar("T")

Headers = Sequence[tuple[str, bytes | None]]

# Errors that result from an earlier refusal: this record was not written, and a new producer can write it.
_FENCED = (OutOfOrderSequenceNumber, ProducerFenced)


class RecordLocation(NamedTuple):
    """The partition and offset of a record that was written."""

    partition: int
    offset: int


@dataclass(eq=False)
class _Connection:
    """A producer, and its number of running writes. The last one closes it once it has been replaced."""

    producer: AIOKafkaProducer
    users: int = 0


class DurableProducer(Service):
    """Writes records, and replaces the connection after an error.

    Args:
        options: the connection options of aiokafka's clients.
        idempotent: whether to write idempotently, so that the broker drops the duplicates of retried requests.
        max_message_bytes: the size of the largest message; its dead letter may be larger, by its headers.
    """

    def __init__(self, options: Mapping[str, Any], *, idempotent: bool, max_message_bytes: int) -> None:
        super().__init__()
        self._max_bytes = max_message_bytes + MAX_HEADER_BYTES
        self._options = {
            **options,
            "acks": "all",
            "enable_idempotence": idempotent,
            "max_request_size": self._max_bytes,
        }
        self._connecting = asyncio.Lock()
        self._current: _Connection | None = None
        self._closing: set[asyncio.Task[None]] = set()

    async def write(
        self,
        topic: str,
        value: bytes | None,
        *,
        key: bytes | None = None,
        partition: int | None = None,
        headers: Headers = (),
    ) -> RecordLocation:
        """Write a record, and return its location once all replicas have it.

        Raises:
            MessageSizeTooLargeError: the record is too large; the text names the setting to change.
            KafkaError: the record could not be written.
        """

        def send(producer: AIOKafkaProducer) -> Coroutine[Any, Any, RecordMetadata]:
            if value is None and key is None:
                return _send_null_record(producer, topic, partition, headers)
            return producer.send_and_wait(  # type: ignore[no-any-return]  # aiokafka has no types
                topic, value, key=key, partition=partition, headers=list(headers)
            )

        try:
            metadata = await self._send(send)
        except MessageSizeTooLargeError as error:
            raise MessageSizeTooLargeError(self._remedy(topic, _size(value, key, headers))) from error
        return RecordLocation(metadata.partition, metadata.offset)

    async def partitions(self, topic: str) -> frozenset[int]:
        """Return the partitions of a topic; raise UnknownTopicOrPartitionError if it does not appear in time."""
        return frozenset(await self._with_producer(lambda producer: producer.partitions_for(topic)))

    async def _send(self, send: Callable[[AIOKafkaProducer], Coroutine[Any, Any, RecordMetadata]]) -> RecordMetadata:
        try:
            return await self._with_producer(send)
        except _FENCED as error:
            self.log.warning("Broker fenced the producer; writing with a new one error=%r", error)
            return await self._with_producer(send)

    async def _with_producer(self, call: Callable[[AIOKafkaProducer], Coroutine[Any, Any, T]]) -> T:
        connection = await self._connect()
        connection.users += 1
        try:
            return await _until_sender_stops(connection.producer, call(connection.producer))
        except KafkaError:
            if self._current is connection:
                self._current = None
            raise
        finally:
            connection.users -= 1
            if connection is not self._current and not connection.users:
                self._close(connection)

    async def _connect(self) -> _Connection:
        async with self._connecting:
            self._raise_if_stopping()
            if self._current is None:
                producer = AIOKafkaProducer(**self._options)
                try:
                    await start_client(producer.start())
                    self._raise_if_stopping()  # `on_stop` has run meanwhile, so it will not close this producer
                except BaseException:
                    await producer.stop()
                    raise
                self._current = _Connection(producer)
            return self._current

    def _raise_if_stopping(self) -> None:
        if self.should_stop:
            raise ProducerClosed

    def _close(self, connection: _Connection) -> None:
        # In a task of its own: the producer first sends the records of cancelled writes, which may wait for the broker.
        task = asyncio.create_task(connection.producer.stop())
        self._closing.add(task)
        task.add_done_callback(self._closing.discard)

    async def on_stop(self) -> None:
        """Finish the running writes, then close the connections."""
        if self._current is not None:
            self._close(self._current)
        await asyncio.gather(*self._closing, return_exceptions=True)

    def _remedy(self, topic: str, size: int) -> str:
        if size > self._max_bytes:
            needed = size - MAX_HEADER_BYTES
            return f"a record of {size} bytes for {topic}: set KAFKA_MESSAGE_MAX_BYTES to {needed} or more"
        return f"{topic} takes no record of {size} bytes: set max.message.bytes of that topic to {size} or more"


async def _until_sender_stops(producer: AIOKafkaProducer, doing: Coroutine[Any, Any, T]) -> T:
    """Return the result of a call of the producer; raise ProducerClosed if its sender task ends before."""
    sender, task = sender_task(producer), asyncio.ensure_future(doing)
    try:
        await asyncio.wait({task, sender}, return_when=asyncio.FIRST_COMPLETED)
        if not task.done():
            raise ProducerClosed("the producer ended before the broker had acknowledged the write")
        return task.result()
    finally:
        task.cancel()


async def _send_null_record(
    producer: AIOKafkaProducer, topic: str, partition: int | None, headers: Headers
) -> RecordMetadata:
    """Send a record with neither key nor value, as other clients can; aiokafka's `send` refuses to."""
    number = min(await producer.partitions_for(topic)) if partition is None else partition
    batch = producer.create_batch()
    batch.append(key=None, value=None, timestamp=None, headers=list(headers))
    return await (await producer.send_batch(batch, topic, partition=number))


def _size(value: bytes | None, key: bytes | None, headers: Headers) -> int:
    return int(DefaultRecordBatchBuilder.estimate_size_in_bytes(key, value, list(headers)))
