# SPDX-License-Identifier: GPL-3.0-or-later
"""Decompression of batches that stops at a limit: 30 kB of zstd can expand to a gigabyte.

aiokafka decompresses a whole batch at once, whatever its size becomes. A single producer could exhaust the memory of
each worker that gets the partition, one after the other. No upstream issue was found.

Here a batch, or a compressed message of the formats before 2, that exceeds the limit raises BatchTooLargeError. What a
frame declares as its size is not believed. The patch holds for every consumer of this process: `unreadable_batches`
pauses partitions of a worker, and operators' commands end with the error.

Names in use: the functions of `aiokafka.codec`, of which each reader of batches, also the compiled ones, holds a name
of its own. aiokafka's reader of xerial's snappy format never ends if a block declares a negative size; so the blocks
are read here.
"""

import gzip
import io
import struct
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, TypeAlias

import cramjam
from aiokafka import codec
from aiokafka.errors import CorruptRecordException
from aiokafka.record import default_records, legacy_records
from aiokafka.record._crecords import default_records as compiled_default_records
from aiokafka.record._crecords import legacy_records as compiled_legacy_records

#: The modules that decompress batches, each by a name of its own for the function.
READERS = (codec, default_records, legacy_records, compiled_default_records, compiled_legacy_records)

Content: TypeAlias = Any  # bytes, bytearray, memoryview, or a view of the compiled readers

_XERIAL_HEADER = struct.pack("!8sii", b"\x82SNAPPY\0", 1, 1)  # aiokafka's own producers write this format
_BUFFER_IS_FULL = "failed to write whole buffer"


class BatchTooLargeError(CorruptRecordException):  # type: ignore[misc]  # aiokafka has no types
    """A batch exceeds the limit once it is decompressed.

    Args:
        compression: the name of its codec.
        limit: the limit in bytes.
    """

    def __init__(self, compression: str, limit: int) -> None:
        super().__init__(
            f"A {compression} batch exceeds {limit} bytes once it is decompressed. To read it, raise "
            "THOTH_INVESTIGATOR_DECOMPRESSED_BATCH_MAX_BYTES; see docs/kafka.md"
        )
        self.compression = compression
        self.limit = limit


def bound_decompression(limit: int) -> None:
    """Let all clients of this process refuse batches that decompress to more than a number of bytes."""
    for name, decompress in DECOMPRESSORS.items():
        for reader in READERS:
            if hasattr(reader, function := f"{name}_decode"):
                setattr(reader, function, partial(decompress, limit=limit))


def _gunzip(payload: Content, *, limit: int) -> bytes:
    # Not by cramjam, which holds the whole result before it compares its size.
    with gzip.GzipFile(fileobj=io.BytesIO(payload), mode="rb") as content:
        found = content.read(limit + 1)
    if len(found) > limit:
        raise BatchTooLargeError("gzip", limit)
    return found


def _decompress_frames(name: str, payload: Content, *, limit: int) -> bytes:
    target = bytearray(limit)  # the system provides its pages as they are written
    size = _size_in(target, name, bytes(payload))
    if size is None:
        raise BatchTooLargeError(name, limit)
    return bytes(memoryview(target)[:size])


def _size_in(target: bytearray, name: str, content: bytes) -> int | None:
    """Decompress into the target, and return the size of the result; None if it does not fit."""
    try:
        return int(getattr(cramjam, name).decompress_into(content, target))
    except cramjam.DecompressionError as error:
        if _BUFFER_IS_FULL not in str(error):
            raise
    return None


def _unsnap(payload: Content, *, limit: int) -> bytes:
    content = bytes(payload)
    found = bytearray()
    for block in _snappy_blocks(content):
        size = cramjam.snappy.decompress_raw_len(block)
        if len(found) + size > limit:
            raise BatchTooLargeError("snappy", limit)
        found += cramjam.snappy.decompress_raw(block)
    return bytes(found)


def _snappy_blocks(content: bytes) -> Iterator[bytes]:
    if not content.startswith(_XERIAL_HEADER):
        yield content
        return
    at = len(_XERIAL_HEADER)
    while at < len(content):
        (size,) = struct.unpack_from("!I", content, at)
        at += 4 + size
        if at > len(content):
            raise CorruptRecordException("a snappy block exceeds its batch")
        yield content[at - size : at]


#: The bounded functions by the names of the codecs.
DECOMPRESSORS: dict[str, Callable[..., bytes]] = {
    "gzip": _gunzip,
    "snappy": _unsnap,
    "lz4": partial(_decompress_frames, "lz4"),
    "zstd": partial(_decompress_frames, "zstd"),
}
