# SPDX-License-Identifier: GPL-3.0-or-later
"""Records as other clients may write them: with header names that are not UTF-8."""

from collections.abc import Sequence

from aiokafka import AIOKafkaProducer
from aiokafka.record.default_records import _DefaultRecordBatchBuilderPy

Header = tuple[bytes, bytes | None]


class _RawName(str):
    """A text that encodes to one byte for each character."""

    __slots__ = ()

    def encode(self, encoding: str = "utf-8", errors: str = "strict") -> bytes:
        del encoding
        return super().encode("latin-1", errors)


def builder(compression: int = 0, *, producer_id: int | None = None) -> _DefaultRecordBatchBuilderPy:
    """Return a builder of batches that takes such names.

    Args:
        compression: Kafka's number of the codec, 0 for none.
        producer_id: makes the batch part of a transaction of that producer.
    """
    return _DefaultRecordBatchBuilderPy(
        magic=2,
        compression_type=compression,
        is_transactional=int(producer_id is not None),
        producer_id=-1 if producer_id is None else producer_id,
        producer_epoch=-1 if producer_id is None else 0,
        base_sequence=0,
        batch_size=2**20,
    )


def named(headers: Sequence[Header]) -> list[tuple[str, bytes | None]]:
    """Return headers with names of bytes in the form that the builder takes."""
    return [(_RawName(name.decode("latin-1")), content) for name, content in headers]


async def send_with_raw_headers(servers: str, topic: str, value: bytes, headers: Sequence[Header]) -> int:
    """Send a message to a topic's first partition and return its offset."""
    async with AIOKafkaProducer(bootstrap_servers=servers) as producer:
        batch = producer.create_batch()
        batch._builder = builder()
        batch.append(key=None, value=value, timestamp=None, headers=named(headers))
        batch.close()
        sent = await (await producer.send_batch(batch, topic, partition=0))
    return int(sent.offset)
