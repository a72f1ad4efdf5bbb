# SPDX-License-Identifier: GPL-3.0-or-later
"""The one producer for what must not be lost: halts and dead letters. Every write is acknowledged by all replicas."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from aiokafka import AIOKafkaProducer
from aiokafka.structs import RecordMetadata
from mode import Service

Headers = Sequence[tuple[str, bytes]]


class Written(NamedTuple):
    """Where a record was written."""

    partition: int
    offset: int


class Writer(Service):
    """Writes records and tells where they are.

    Args:
        options: how to reach the broker, as aiokafka's clients take it.
        idempotent: whether the broker removes duplicates of a write that was sent again.
        max_request_size: the largest record, in bytes.
    """

    def __init__(self, options: Mapping[str, Any], *, idempotent: bool, max_request_size: int) -> None:
        super().__init__()
        self._options = {
            **options,
            "acks": "all",
            "enable_idempotence": idempotent,
            "max_request_size": max_request_size,
        }
        self._connecting = asyncio.Lock()
        self._producer: AIOKafkaProducer | None = None

    async def write(
        self,
        topic: str,
        value: bytes | None,
        *,
        key: bytes | None = None,
        partition: int | None = None,
        headers: Headers = (),
    ) -> Written:
        """Write a record; returns when all replicas have it, raises a KafkaError where that could not be reached."""
        producer = await self._connected()
        if value is None and key is None:
            metadata = await _send_nothing(producer, topic, partition, headers)
        else:
            metadata = await producer.send_and_wait(topic, value, key=key, partition=partition, headers=list(headers))
        return Written(metadata.partition, metadata.offset)

    async def partitions(self, topic: str) -> frozenset[int]:
        """Tell the partitions of a topic; empty where it does not exist."""
        producer = await self._connected()
        return frozenset(await producer.partitions_for(topic) or ())

    async def _connected(self) -> AIOKafkaProducer:
        async with self._connecting:
            if self._producer is None:
                producer = AIOKafkaProducer(**self._options)
                try:
                    await producer.start()
                except BaseException:
                    await producer.stop()
                    raise
                self._producer = producer
        return self._producer

    async def on_stop(self) -> None:
        """Write what is under way, then close the connections."""
        if self._producer is not None:
            await self._producer.stop()


async def _send_nothing(
    producer: AIOKafkaProducer, topic: str, partition: int | None, headers: Headers
) -> RecordMetadata:
    """Send a record with neither key nor value: others send such, but `send` of this client refuses to."""
    number = min(await producer.partitions_for(topic)) if partition is None else partition
    batch = producer.create_batch()
    batch.append(key=None, value=None, timestamp=None, headers=list(headers))
    return await (await producer.send_batch(batch, topic, partition=number))
