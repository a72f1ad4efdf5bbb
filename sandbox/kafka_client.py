# SPDX-License-Identifier: GPL-3.0-or-later
"""What the sandbox and the tests do with Kafka from outside: send, read, and look at what a group has committed."""

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
    """What a message may have beside its value."""

    key: bytes | None
    partition: int | None
    headers: Sequence[tuple[str, bytes | None]]


class KafkaClient:
    """A client of the broker at that address; an asynchronous context manager."""

    def __init__(self, bootstrap_servers: str) -> None:
        self._servers = bootstrap_servers
        self._producer: Any = None

    async def __aenter__(self) -> Self:
        """Connect."""
        self._producer = AIOKafkaProducer(bootstrap_servers=self._servers, linger_ms=0, max_request_size=16 * 2**20)
        await self._producer.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        """Send what is still to be sent and disconnect."""
        await self._producer.stop()

    async def send(self, topic: str, value: Value, **extras: Unpack[Extras]) -> RecordMetadata:
        """Send one message and wait until the broker has it; gives its topic, partition, offset and timestamp."""
        headers = list(extras.pop("headers", ()))
        return await self._producer.send_and_wait(topic, encode(value), headers=headers, **extras)

    async def send_all(self, topic: str, values: Iterable[Value], *, partition: int | None = None) -> None:
        """Send messages as fast as the broker takes them and wait until it has them all."""
        sent = [await self._producer.send(topic, encode(value), partition=partition) for value in values]
        await asyncio.gather(*sent)

    async def read(self, topic: str, count: int, timeout: float = 20.0) -> list[ConsumerRecord]:
        """Read the first `count` messages of a topic; gives fewer after `timeout` seconds."""
        consumer = AIOKafkaConsumer(bootstrap_servers=self._servers, auto_offset_reset="earliest")
        await consumer.start()
        try:
            consumer.assign([TopicPartition(topic, number) for number in await self.partitions(topic)])
            return await _read(consumer, count, timeout)
        finally:
            await consumer.stop()

    async def committed(self, group: str, topic: str) -> dict[int, int]:
        """Give the offset that a group has committed for each partition of a topic, where it has."""
        consumer = AIOKafkaConsumer(bootstrap_servers=self._servers, group_id=group, enable_auto_commit=False)
        await consumer.start()
        try:
            numbers = await self.partitions(topic)
            offsets = {number: await consumer.committed(TopicPartition(topic, number)) for number in numbers}
        finally:
            await consumer.stop()
        return {number: offset for number, offset in offsets.items() if offset is not None}

    async def partitions(self, topic: str) -> list[int]:
        """Give the numbers of the partitions of a topic."""
        return sorted(await self._producer.partitions_for(topic))


def encode(value: Value) -> bytes | None:
    """Give the bytes of a message's value."""
    if isinstance(value, Mapping):
        return json.dumps(value).encode()
    return value.encode() if isinstance(value, str) else value


async def _read(consumer: AIOKafkaConsumer, count: int, timeout: float) -> list[ConsumerRecord]:
    records: list[ConsumerRecord] = []
    deadline = asyncio.get_running_loop().time() + timeout
    while len(records) < count and (left := deadline - asyncio.get_running_loop().time()) > 0:
        found = await consumer.getmany(timeout_ms=min(500, int(left * 1000)))
        records += [record for batch in found.values() for record in batch]
    return records
