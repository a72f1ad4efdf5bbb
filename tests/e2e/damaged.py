# SPDX-License-Identifier: GPL-3.0-or-later
"""Batches of messages that no client can read, as a broken disk or a broken producer may leave them in a topic."""

import json
import struct
from collections.abc import Callable, Mapping
from typing import Any

from aiokafka import AIOKafkaProducer
from aiokafka.record.util import calc_crc32c

from tests.support.raw_headers import builder

# Where the format of a batch has them; the checksum is about all that follows it.
_CHECKSUM, _CHECKED, _CODEC = 17, 21, 22
_GZIP = 1


def with_wrong_checksum(batch: bytearray) -> None:
    """Change a byte, as a broken disk does."""
    batch[-1] ^= 0xFF


def with_wrong_codec(batch: bytearray) -> None:
    """Say that the batch is compressed, which it is not."""
    batch[_CODEC] |= _GZIP
    struct.pack_into(">I", batch, _CHECKSUM, calc_crc32c(bytes(batch[_CHECKED:])))


class _Damaging:
    """A builder of batches that damages what it has built."""

    def __init__(self, damage: Callable[[bytearray], None]) -> None:
        self._builder = builder()
        self._damage = damage

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401  whatever a builder has
        return getattr(self._builder, name)

    def build(self) -> bytearray:
        """Give the batch."""
        batch: bytearray = self._builder.build()
        self._damage(batch)
        return batch


async def send_damaged(
    servers: str, topic: str, damage: Callable[[bytearray], None], value: Mapping[str, object]
) -> int:
    """Send a message to a topic's first partition in a damaged batch; gives its offset.

    Raises:
        KafkaError: the broker looks at what it is given, and does not take this.
    """
    async with AIOKafkaProducer(bootstrap_servers=servers) as producer:
        batch = producer.create_batch()
        batch._builder = _Damaging(damage)
        batch.append(key=None, value=json.dumps(value).encode(), timestamp=None)
        batch.close()
        sent = await (await producer.send_batch(batch, topic, partition=0))
    return int(sent.offset)
