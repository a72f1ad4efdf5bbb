# SPDX-License-Identifier: GPL-3.0-or-later
"""Record batches that no client can decode, as a broken disk or a defective producer leaves them in a topic."""

import json
import struct
from collections.abc import Callable, Mapping
from typing import Any

from aiokafka import AIOKafkaProducer
from aiokafka.record.util import calc_crc32c

from tests.support.raw_headers import builder

# Byte offsets in a batch of Kafka's record format v2. The checksum covers all bytes from _CHECKED to the end.
_CHECKSUM, _CHECKED, _CODEC = 17, 21, 22
_GZIP = 1


def with_wrong_checksum(batch: bytearray) -> None:
    """Change the last byte, as a broken disk does."""
    batch[-1] ^= 0xFF


def with_wrong_codec(batch: bytearray) -> None:
    """Declare the batch as compressed with gzip, which it is not; the checksum stays valid."""
    batch[_CODEC] |= _GZIP
    struct.pack_into(">I", batch, _CHECKSUM, calc_crc32c(bytes(batch[_CHECKED:])))


class _DamagingBuilder:
    """A batch builder of aiokafka that damages the finished batch."""

    def __init__(self, damage: Callable[[bytearray], None]) -> None:
        self._builder = builder()
        self._damage = damage

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401  any attribute of a builder
        return getattr(self._builder, name)

    def build(self) -> bytearray:
        """Return the damaged batch."""
        batch: bytearray = self._builder.build()
        self._damage(batch)
        return batch


async def send_damaged(
    servers: str, topic: str, damage: Callable[[bytearray], None], value: Mapping[str, object]
) -> int:
    """Send a message to a topic's first partition in a damaged batch; return its offset.

    Args:
        servers: the bootstrap servers.
        topic: the topic.
        damage: changes the bytes of the batch in place.
        value: the message, which is sent as JSON.

    Raises:
        KafkaError: the broker validates batches, and refused this one.
    """
    async with AIOKafkaProducer(bootstrap_servers=servers) as producer:
        batch = producer.create_batch()
        batch._builder = _DamagingBuilder(damage)
        batch.append(key=None, value=json.dumps(value).encode(), timestamp=None)
        batch.close()
        sent = await (await producer.send_batch(batch, topic, partition=0))
    return int(sent.offset)
