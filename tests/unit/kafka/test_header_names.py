# SPDX-License-Identifier: GPL-3.0-or-later
"""What becomes of header names that are not UTF-8."""

from collections.abc import Iterator
from typing import Any

import pytest
from aiokafka.consumer import fetcher
from aiokafka.record.memory_records import MemoryRecords

from investigator.kafka.patches.header_names import tolerate_non_utf8_header_names
from tests.support.raw_headers import builder, named

NOTHING, GZIP = 0, 1
ODD = b"tr\xe4ce"


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Read on at such names, as long as the test lasts."""
    monkeypatch.setattr(fetcher, "MemoryRecords", MemoryRecords)
    tolerate_non_utf8_header_names()


def content(*names: bytes, compression: int = NOTHING) -> bytes:
    """Give a batch with one record for each name."""
    batch = builder(compression)
    for offset, name in enumerate(names):
        batch.append(offset, 1000 + offset, b"key", b"value %d" % offset, named([(name, b"7"), (b"null", None)]))
    return bytes(batch.build())


def records(data: bytes) -> Iterator[Any]:
    """Read all records as a consumer does."""
    batches = fetcher.MemoryRecords(data)
    while batches.has_next():
        yield from batches.next_batch()


def told(record: Any) -> tuple[Any, ...]:  # noqa: ANN401 - aiokafka's records have no common type
    """Give what a consumer makes of a record."""
    return record.offset, record.timestamp, record.key, record.value, record.headers


@pytest.mark.parametrize("compression", [NOTHING, GZIP])
def test_every_record_is_read_once_and_in_order(compression: int) -> None:
    """Those before the odd name, the one that has it, and those behind it."""
    names = [b"trace", b"trace", ODD, b"trace", ODD]

    read = [told(record) for record in records(content(*names, compression=compression))]

    assert read == [
        (offset, 1000 + offset, b"key", b"value %d" % offset, [(shown, b"7"), ("null", None)])
        for offset, shown in enumerate(["trace", "trace", r"tr\xe4ce", "trace", r"tr\xe4ce"])
    ]


def test_what_is_text_is_read_as_before() -> None:
    """Names in any script, and none at all."""
    read = [told(record) for record in records(content("Spur-ä-😀".encode(), b""))]

    assert [headers[0][0] for *_, headers in read] == ["Spur-ä-😀", ""]


def test_batches_follow_each_other() -> None:
    """A batch with an odd name hides nothing of the batches beside it."""
    data = content(b"a") + content(ODD) + content(b"b")

    assert [told(record)[4][0][0] for record in records(data)] == ["a", r"tr\xe4ce", "b"]


def test_what_a_consumer_asks_of_a_batch_is_answered() -> None:
    """Checksum, offsets and kind are those that aiokafka found."""
    batch = fetcher.MemoryRecords(content(ODD, b"a")).next_batch()

    assert batch.validate_crc()
    assert (batch.base_offset, batch.next_offset) == (0, 2)
    assert not batch.is_control_batch


def test_without_it_a_consumer_cannot_read_on() -> None:
    """The trap itself: the day that aiokafka reads such names, all of this can go."""
    batch = MemoryRecords(content(ODD)).next_batch()

    with pytest.raises(UnicodeDecodeError):
        list(batch)
