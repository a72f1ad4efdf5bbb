# SPDX-License-Identifier: GPL-3.0-or-later
"""Messages with header names that are not UTF-8 are read like all others."""

from collections.abc import Iterator
from typing import Any

import pytest
from aiokafka.consumer import fetcher
from aiokafka.record.memory_records import MemoryRecords

from investigator.kafka.patches.header_names import tolerate_non_utf8_header_names
from tests.support.raw_headers import builder, named

UNCOMPRESSED, GZIP = 0, 1
NOT_UTF8 = b"tr\xe4ce"


@pytest.fixture(autouse=True)
def patched(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tolerate such names during the test."""
    monkeypatch.setattr(fetcher, "MemoryRecords", MemoryRecords)
    tolerate_non_utf8_header_names()


def content(*names: bytes, compression: int = UNCOMPRESSED) -> bytes:
    """Return a batch with one record for each name."""
    batch = builder(compression)
    for offset, name in enumerate(names):
        batch.append(offset, 1000 + offset, b"key", b"value %d" % offset, named([(name, b"7"), (b"null", None)]))
    return bytes(batch.build())


def records(data: bytes) -> Iterator[Any]:
    """Return all records, read as a consumer does."""
    batches = fetcher.MemoryRecords(data)
    while batches.has_next():
        yield from batches.next_batch()


def contents(record: Any) -> tuple[Any, ...]:  # noqa: ANN401  aiokafka's records have no common type
    """Return the parts of a record that a consumer reads."""
    return record.offset, record.timestamp, record.key, record.value, record.headers


@pytest.mark.parametrize("compression", [UNCOMPRESSED, GZIP])
def test_every_record_is_read_once_and_in_order(compression: int) -> None:
    """Those before such a name, the one that has it, and those after it."""
    names = [b"trace", b"trace", NOT_UTF8, b"trace", NOT_UTF8]

    read = [contents(record) for record in records(content(*names, compression=compression))]

    assert read == [
        (offset, 1000 + offset, b"key", b"value %d" % offset, [(shown, b"7"), ("null", None)])
        for offset, shown in enumerate(["trace", "trace", r"tr\xe4ce", "trace", r"tr\xe4ce"])
    ]


def test_names_in_utf8_are_read_as_before() -> None:
    """Names in any script, and an empty one."""
    read = [contents(record) for record in records(content("Spur-ä-😀".encode(), b""))]

    assert [headers[0][0] for *_, headers in read] == ["Spur-ä-😀", ""]


def test_the_batches_around_such_a_name_are_read() -> None:
    """Each batch is read by itself."""
    data = content(b"a") + content(NOT_UTF8) + content(b"b")

    assert [contents(record)[4][0][0] for record in records(data)] == ["a", r"tr\xe4ce", "b"]


def test_a_batch_has_the_attributes_that_a_consumer_reads() -> None:
    """Checksum, offsets and kind are those that aiokafka found."""
    batch = fetcher.MemoryRecords(content(NOT_UTF8, b"a")).next_batch()

    assert batch.validate_crc()
    assert (batch.base_offset, batch.next_offset) == (0, 2)
    assert not batch.is_control_batch


def test_without_it_a_consumer_cannot_read_on() -> None:
    """The trap itself: once aiokafka reads such names, this fails, and the patch can be removed."""
    batch = MemoryRecords(content(NOT_UTF8)).next_batch()

    with pytest.raises(UnicodeDecodeError):
        list(batch)
