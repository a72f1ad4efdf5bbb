# SPDX-License-Identifier: GPL-3.0-or-later
"""A compressed batch is read up to a limit; what is larger is refused, without the memory that it would take."""

import struct
import time
import zlib
from contextlib import suppress

import cramjam
import pytest
from aiokafka import codec
from aiokafka.errors import KafkaError
from hypothesis import given
from hypothesis import strategies as st

from investigator.kafka.patches.bounded_decompression import DECOMPRESSORS, BatchTooLargeError
from tests.support.peak_memory import peak_growth

MIB = 2**20
ENCODERS = {
    "gzip": codec.gzip_encode,
    "snappy": codec.snappy_encode,
    "snappy_raw": lambda content: codec.snappy_encode(content, xerial_compatible=False),
    "lz4": codec.lz4_encode,
    "zstd": codec.zstd_encode,
}


def decompress(name: str, content: bytes, limit: int = MIB) -> bytes:
    """Decompress by the function that readers of batches use, with a limit."""
    found: bytes = DECOMPRESSORS[name.removesuffix("_raw")](content, limit=limit)
    return found


@pytest.mark.parametrize("name", ENCODERS)
@given(st.binary(max_size=300), st.integers(1, 50))
def test_whatever_fits_is_returned_unchanged(name: str, content: bytes, times: int) -> None:
    """Also what fits exactly, and nothing at all."""
    content *= times
    assert decompress(name, ENCODERS[name](content), max(1, len(content))) == content


@pytest.mark.parametrize("name", ENCODERS)
@given(st.binary(min_size=2, max_size=300), st.integers(1, 50))
def test_one_byte_too_many_is_refused(name: str, content: bytes, times: int) -> None:
    """The error names codec and limit."""
    content *= times
    with pytest.raises(BatchTooLargeError) as caught:
        decompress(name, ENCODERS[name](content), len(content) - 1)
    assert (caught.value.compression, caught.value.limit) == (name.removesuffix("_raw"), len(content) - 1)


@pytest.mark.parametrize("name", ENCODERS)
@given(st.binary(max_size=200), st.data())
def test_damaged_content_never_returns_more_than_the_limit(name: str, content: bytes, data: st.DataObject) -> None:
    """Whatever the bytes are, decompression ends, with an error or with a result within the limit."""
    encoded = bytearray(ENCODERS[name](content))
    for _ in range(data.draw(st.integers(1, 4))):
        encoded[data.draw(st.integers(0, len(encoded) - 1))] = data.draw(st.integers(0, 255))
    found = b""
    with suppress(KafkaError, cramjam.DecompressionError, EOFError, OSError, struct.error, zlib.error):
        found = decompress(name, bytes(encoded), 1000)
    assert len(found) <= 1000


def _xerial(*blocks: tuple[int, bytes]) -> bytes:
    header: bytes = codec.snappy_encode(b"")
    return header + b"".join(struct.pack("!i", size) + content for size, content in blocks)


def _snappy_of_declared_size(size: bytes) -> bytes:
    content = bytes(codec.snappy_encode(b"x" * 100, xerial_compatible=False))
    return size + content[1:]


@pytest.mark.parametrize(
    "content",
    [
        _xerial((-4, b"")),
        _xerial((-1, b"x")),
        _xerial((2**31 - 1, b"x")),
        _xerial((10, b"x")),
        _snappy_of_declared_size(b"\x05"),
        _snappy_of_declared_size(b"\xff\xff\xff\xff\x0f"),
        _xerial((6, _snappy_of_declared_size(b"\xff\xff\xff\xff\x0f"))),
    ],
    ids=["endless", "negative", "huge block", "cut off", "declares too little", "declares 4 GiB", "both"],
)
def test_sizes_that_snappy_declares_are_not_believed(content: bytes) -> None:
    """Neither in the xerial framing nor in the blocks."""
    with pytest.raises((KafkaError, cramjam.DecompressionError)):
        decompress("snappy", content)


@pytest.mark.parametrize("name", ENCODERS)
def test_a_bomb_is_refused_within_little_memory(name: str) -> None:
    """Measured by the system, because codecs allocate outside of Python."""
    bomb = ENCODERS[name](bytes(200 * MIB))
    with peak_growth() as grown, pytest.raises(BatchTooLargeError):
        decompress(name, bomb, 16 * MIB)
    assert grown() < 64 * MIB


@pytest.mark.parametrize("name", ["gzip", "zstd"])
def test_content_of_many_empty_members_takes_no_time(name: str) -> None:
    """A batch of a megabyte is refused or read within a second, whatever its frames are."""
    member = ENCODERS[name](b"")
    start = time.process_time()
    assert decompress(name, member * (MIB // len(member))) == b""
    assert time.process_time() - start < 1.0
