# SPDX-License-Identifier: GPL-3.0-or-later
"""A batch that can't be read pauses its partition for a while; everything else is read."""

import struct
import time

import pytest
from aiokafka.consumer import fetcher
from aiokafka.consumer.fetcher import FetchResult, PartitionRecords
from aiokafka.errors import CorruptRecordException
from aiokafka.record.util import calc_crc32c
from aiokafka.structs import TopicPartition

from investigator.kafka.patches import unreadable_batches
from investigator.kafka.patches.unreadable_batches import pause_on_unreadable_batch
from tests.unit.kafka.stub_broker import Answer, StubBroker, batch, fetching

GZIP = 1
DAMAGED, SOUND = TopicPartition("damaged", 0), TopicPartition("sound", 0)
_CRC_AT, _CONTENT_AT = 17, 21


@pytest.fixture
def patched(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pause on unreadable batches, for a moment only, as long as the test lasts."""
    monkeypatch.setattr(fetcher, "PartitionRecords", PartitionRecords)
    monkeypatch.setattr(fetcher, "FetchResult", FetchResult)
    monkeypatch.setattr(unreadable_batches, "PAUSE_SECONDS", 0.2)
    pause_on_unreadable_batch()


@pytest.fixture
def unpatched(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let aiokafka do as it does, whatever other tests have built."""
    monkeypatch.setattr(fetcher, "PartitionRecords", PartitionRecords)
    monkeypatch.setattr(fetcher, "FetchResult", FetchResult)


def flipped(content: bytes) -> bytes:
    """Return a batch whose last byte was changed on the disk of a broker: its checksum is wrong."""
    return content[:-1] + bytes([content[-1] ^ 0xFF])


def broken_gzip(content: bytes) -> bytes:
    """Return a batch whose producer compressed it badly: the checksum is right, and the content can't be unpacked."""
    damaged = flipped(content[:-8]) + content[-8:]
    return damaged[:_CRC_AT] + struct.pack(">I", calc_crc32c(damaged[_CONTENT_AT:])) + damaged[_CONTENT_AT:]


UNREADABLE = [flipped(batch(b"c", base_offset=2)), broken_gzip(batch(b"c" * 99, base_offset=2, compression=GZIP))]


@pytest.mark.usefixtures("patched")
@pytest.mark.parametrize("unreadable", UNREADABLE, ids=["wrong checksum", "damaged compression"])
async def test_messages_before_an_unreadable_batch_are_read_and_it_is_tried_again(
    unreadable: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    """Nothing is skipped, and a sound copy, as of another broker, is read from the same offset on."""
    before = batch(b"a", b"b")
    broker = StubBroker({DAMAGED: [Answer(before + unreadable), Answer(batch(b"c", base_offset=2))]})
    async with fetching(broker, DAMAGED) as running:
        assert [each.value for each in await poll(running, DAMAGED)] == [b"a", b"b"]
        state = running._subscriptions.subscription.assignment.state_value(DAMAGED)
        assert state.paused
        assert state.position == 2
        (line,) = caplog.messages
        assert "topic=damaged partition=0" in line
        assert "offset=2" in line
        assert [each.value for each in await poll(running, DAMAGED)] == [b"c"]


@pytest.mark.usefixtures("patched")
async def test_other_partitions_are_read_meanwhile() -> None:
    """What was fetched of them beside the unreadable batch counts as well."""
    broker = StubBroker({DAMAGED: [Answer(UNREADABLE[0])], SOUND: [Answer(batch(b"x"))]})
    async with fetching(broker, DAMAGED, SOUND) as running:
        assert [each.value for each in await poll(running, DAMAGED, SOUND)] == [b"x"]


@pytest.mark.usefixtures("unpatched")
async def test_without_it_the_whole_poll_raises() -> None:
    """The trap itself: aiokafka's error would end the worker, and each one that gets the partition after it."""
    async with fetching(StubBroker({DAMAGED: [Answer(UNREADABLE[0])]}), DAMAGED) as running:
        with pytest.raises(CorruptRecordException):
            await poll(running, DAMAGED)


async def poll(running: fetcher.Fetcher, *partitions: TopicPartition) -> list[fetcher.ConsumerRecord]:
    """Return the records of the first poll that brings any."""
    end = time.monotonic() + 5
    while time.monotonic() < end:
        found = await running.fetched_records(set(partitions), timeout=0.05)
        if any(found.values()):
            return [record for records in found.values() for record in records]
    raise TimeoutError("nothing was fetched")
