# SPDX-License-Identifier: GPL-3.0-or-later
r"""Header names that are not UTF-8: Kafka accepts them, but aiokafka raises UnicodeDecodeError when it reads one.

The consumer would raise that error, before any code that handles bad messages, and crash each worker that gets the
partition. This patch reads the rest of such a batch with aiokafka's reader in pure Python, which is slower, and shows
bytes that are not UTF-8 as `\xff`. No upstream issue was found; `test_without_it_a_consumer_cannot_read_on` fails once
aiokafka reads such names, and this module can be removed then.

Private names in use: `_MemoryRecordsPy` and `_DefaultRecordBatchPy` are the readers in Python, of which only a subclass
can be changed (the others are compiled); `_next_slice` holds the bytes of the next batch, `_maybe_uncompress` and
`_buffer` those of its records.
"""

from collections.abc import Iterator
from itertools import islice
from typing import Any

from aiokafka.consumer import fetcher
from aiokafka.record.default_records import DefaultRecordBatch, _DefaultRecordBatchPy
from aiokafka.record.memory_records import _MemoryRecordsPy


def tolerate_non_utf8_header_names() -> None:
    """Let all consumers of this process read messages whose header names are not UTF-8."""
    fetcher.MemoryRecords = _Records


class _Records(_MemoryRecordsPy):  # type: ignore[misc]  # declared final; aiokafka offers no other extension point
    def next_batch(self, *args: int) -> Any:  # noqa: ANN401  aiokafka's classes have no common type
        content = self._next_slice
        batch = super().next_batch(*args)
        # aiokafka reads control batches, the ends of transactions, in another way; they hold no messages.
        is_plain = not isinstance(batch, DefaultRecordBatch) or batch.is_control_batch
        return batch if is_plain else _Batch(batch, content)


class _Batch:
    """A batch that aiokafka's fast reader reads up to a name that is not UTF-8; the lenient one reads the rest."""

    def __init__(self, batch: DefaultRecordBatch, content: Any) -> None:  # noqa: ANN401  bytes of some kind
        self._batch = batch
        self._content = content

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401  whatever a batch has
        return getattr(self._batch, name)

    def __iter__(self) -> Iterator[Any]:
        read = 0
        try:
            for record in self._batch:
                yield record
                read += 1
        except UnicodeDecodeError:
            yield from islice(_LenientBatch(self._content), read, None)


class _LenientBatch(_DefaultRecordBatchPy):  # type: ignore[misc]  # declared final
    def _maybe_uncompress(self) -> None:
        super()._maybe_uncompress()
        self._buffer: bytearray = _LenientBytes(self._buffer)


class _LenientBytes(bytearray):
    """Bytes whose slices always decode; header names are all that the reader decodes of a batch."""

    def __getitem__(self, index: Any) -> Any:  # noqa: ANN401  a number or a slice, as with any bytes
        part = super().__getitem__(index)
        return _LenientBytes(part) if isinstance(part, bytearray) else part

    def decode(self, encoding: str = "utf-8", _errors: str = "strict") -> str:
        return super().decode(encoding, "backslashreplace")
