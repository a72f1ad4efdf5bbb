# SPDX-License-Identifier: GPL-3.0-or-later
"""A Kafka client for the sandbox and the tests: send and read messages, and read committed offsets."""

import asyncio
import json
from collections.abc import Iterable, Mapping, Sequence
from types import TracebackType
from typing import Any

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRecord, TopicPartition
from aiokafka.structs import RecordMetadata
from typing_extensions import Self, TypedDict, Unpack

__all__ = ["Extras", "KafkaClient", "Value", "encode"]

Value = bytes | str | Mapping[str, Any] | None  # a mapping is sent as JSON, text as UTF-8, None as a tombstone


class Extras(TypedDict, total=False):
    """The optional parts of a message: key, partition, headers."""

    key: bytes | None
    partition: int | None
    headers: Sequence[tuple[str, bytes | None]]


class KafkaClient:
    """A client of the broker at an address; an asynchronous context manager."""

    def __init__(self, bootstrap_servers: str) -> None:
        self._servers = bootstrap_servers
        self._producer: Any = None

    async def __aenter__(self) -> Self:
        """Connect to the broker."""
        self._producer = AIOKafkaProducer(bootstrap_servers=self._servers, linger_ms=0, max_request_size=16 * 2**20)
        await self._producer.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        """Send the messages that are still buffered and disconnect."""
        await self._producer.stop()

    async def send(self, topic: str, value: Value, **extras: Unpack[Extras]) -> RecordMetadata:
        """Send one message, wait for its acknowledgement and return its topic, partition, offset and timestamp."""
        headers = list(extras.pop("headers", ()))
        return await self._producer.send_and_wait(topic, encode(value), headers=headers, **extras)

    async def send_all(self, topic: str, values: Iterable[Value], *, partition: int | None = None) -> None:
        """Send messages without waiting between them, then wait for all acknowledgements."""
        acknowledgements = [await self._producer.send(topic, encode(value), partition=partition) for value in values]
        await asyncio.gather(*acknowledgements)

    async def read(self, topic: str, count: int, timeout: float = 20.0) -> list[ConsumerRecord]:
        """Return the first `count` messages of a topic, or those that came within `timeout` seconds."""
        consumer = AIOKafkaConsumer(bootstrap_servers=self._servers, auto_offset_reset="earliest")
        await consumer.start()
        try:
            consumer.assign([TopicPartition(topic, number) for number in await self.partitions(topic)])
            return await _read(consumer, count, timeout)
        finally:
            await consumer.stop()

    async def committed(self, group: str, topic: str) -> dict[int, int]:
        """Return the offsets that a group has committed, by partition; partitions without a commit are absent."""
        consumer = AIOKafkaConsumer(bootstrap_servers=self._servers, group_id=group, enable_auto_commit=False)
        await consumer.start()
        try:
            numbers = await self.partitions(topic)
            offsets = {number: await consumer.committed(TopicPartition(topic, number)) for number in numbers}
        finally:
            await consumer.stop()
        return {number: offset for number, offset in offsets.items() if offset is not None}

    async def partitions(self, topic: str) -> list[int]:
        """Return the partition numbers of a topic, sorted."""
        return sorted(await self._producer.partitions_for(topic))


def encode(value: Value) -> bytes | None:
    """Return the bytes of a message's value; None for a tombstone."""
    if isinstance(value, Mapping):
        return json.dumps(value).encode()
    return value.encode() if isinstance(value, str) else value


async def _read(consumer: AIOKafkaConsumer, count: int, timeout: float) -> list[ConsumerRecord]:
    records: list[ConsumerRecord] = []
    deadline = asyncio.get_running_loop().time() + timeout
    while len(records) < count and (remaining := deadline - asyncio.get_running_loop().time()) > 0:
        batches = await consumer.getmany(timeout_ms=min(500, int(remaining * 1000)))
        records += [record for batch in batches.values() for record in batch]
    return records
