# SPDX-License-Identifier: GPL-3.0-or-later
"""A batch that is too large once it is decompressed pauses its partition, in every format and with every codec."""

import time
from collections.abc import Iterator
from functools import cache

import pytest
from aiokafka.consumer import fetcher
from aiokafka.consumer.fetcher import FetchResult, PartitionRecords
from aiokafka.record import memory_records
from aiokafka.record.default_records import DefaultRecordBatchBuilder
from aiokafka.record.legacy_records import LegacyRecordBatchBuilder
from aiokafka.structs import TopicPartition

from investigator.kafka.patches import unreadable_batches
from investigator.kafka.patches.bounded_decompression import (
    DECOMPRESSORS,
    READERS,
    BatchTooLargeError,
    bound_decompression,
)
from investigator.kafka.patches.unreadable_batches import pause_on_unreadable_batch
from tests.support.peak_memory import peak_growth
from tests.unit.kafka.stub_broker import Answer, StubBroker, fetching

MIB = 2**20
LIMIT = 4 * MIB
CODECS = {"gzip": 1, "snappy": 2, "lz4": 3, "zstd": 4}
#: Formats of messages and their codecs; zstd came with format 2, and format 0 has no lz4 that is defined.
KINDS = [
    (magic, name)
    for magic in (0, 1, 2)
    for name in CODECS
    if magic == 2 or (name != "zstd" and (magic, name) != (0, "lz4"))
]
BOMB = TopicPartition("bomb", 0)


@pytest.fixture(autouse=True)
def bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Bound decompression, and pause for a moment only, as long as the test lasts."""
    for reader in READERS:
        for name in DECOMPRESSORS:
            if (function := getattr(reader, f"{name}_decode", None)) is not None:
                monkeypatch.setattr(reader, f"{name}_decode", function)
    monkeypatch.setattr(fetcher, "PartitionRecords", PartitionRecords)
    monkeypatch.setattr(fetcher, "FetchResult", FetchResult)
    monkeypatch.setattr(unreadable_batches, "PAUSE_SECONDS", 0.2)
    bound_decompression(LIMIT)


@cache
def of_size(size: int, magic: int, name: str) -> bytes:
    """Return a compressed batch, or message of an older format, whose only value has a number of zeros."""
    if magic == 2:
        made = DefaultRecordBatchBuilder(2, CODECS[name], 0, -1, -1, 0, size + 1000)
        made.append(0, 1000, None, bytes(size), [])
    else:
        made = LegacyRecordBatchBuilder(magic, CODECS[name], size + 1000)
        made.append(0, 1000, None, bytes(size))
    return bytes(made.build())


def values(records: memory_records._MemoryRecordsPy) -> Iterator[bytes]:
    """Read all values as a consumer does."""
    while records.has_next():
        for record in records.next_batch():
            yield record.value


@pytest.mark.parametrize("reader", [memory_records.MemoryRecords, memory_records._MemoryRecordsPy])
@pytest.mark.parametrize(("magic", "name"), KINDS)
def test_each_reader_is_bounded(reader: type[memory_records._MemoryRecordsPy], magic: int, name: str) -> None:
    """Both the compiled ones and those in Python; what fits is read."""
    assert list(values(reader(of_size(LIMIT // 2, magic, name)))) == [bytes(LIMIT // 2)]
    bomb = of_size(40 * MIB, magic, name)
    with peak_growth() as grown, pytest.raises(BatchTooLargeError):
        list(values(reader(bomb)))
    assert grown() < 24 * MIB


@pytest.mark.parametrize(("magic", "name"), KINDS)
async def test_its_partition_is_paused_named_and_counted(
    magic: int, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    """The batch is read once the limit allows it."""
    paused: list[tuple[str, int, str]] = []
    pause_on_unreadable_batch(lambda *labels: paused.append(labels))
    too_large = of_size(LIMIT + 1, magic, name)
    broker = StubBroker({BOMB: [Answer(too_large), Answer(too_large)]})
    async with fetching(broker, BOMB) as running:
        await until_paused(running, paused)
        assert paused == [("bomb", 0, "too_large")]
        (line,) = caplog.messages
        for fact in ("topic=bomb partition=0 offset=0", f"codec={name}", f"limit_bytes={LIMIT}"):
            assert fact in line
        bound_decompression(2 * LIMIT)
        assert await poll(running) == [bytes(LIMIT + 1)]


async def until_paused(running: fetcher.Fetcher, paused: list[tuple[str, int, str]]) -> None:
    """Poll until the partition of the bomb is paused."""
    end = time.monotonic() + 5
    while not paused and time.monotonic() < end:
        await running.fetched_records({BOMB}, timeout=0.05)


async def poll(running: fetcher.Fetcher) -> list[bytes]:
    """Return the values of the first poll that brings any."""
    end = time.monotonic() + 5
    while time.monotonic() < end:
        found = await running.fetched_records({BOMB}, timeout=0.05)
        if any(found.values()):
            return [record.value for records in found.values() for record in records]
    raise TimeoutError("nothing was fetched")
