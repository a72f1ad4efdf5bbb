# SPDX-License-Identifier: GPL-3.0-or-later
r"""Header names that are not UTF-8: Kafka carries them, but aiokafka raises where it meets one.

The error would come out of the consumer, ahead of everything that knows what to do with a bad message, and would end
each worker that is given the partition. So a batch with such a name is read on by aiokafka's reader in pure Python,
which is slower, and shows the bytes that are no text as `\xff`.
"""

from collections.abc import Iterator
from itertools import islice
from typing import Any

from aiokafka.consumer import fetcher
from aiokafka.record.default_records import DefaultRecordBatch, _DefaultRecordBatchPy
from aiokafka.record.memory_records import _MemoryRecordsPy


def tolerate_non_utf8_header_names() -> None:
    """Let all consumers of this process read on where a header's name is not UTF-8."""
    fetcher.MemoryRecords = _Records


class _Records(_MemoryRecordsPy):  # type: ignore[misc]  # said to be final; there is no other way in
    def next_batch(self, *args: int) -> Any:  # noqa: ANN401  aiokafka's classes have no common type
        content = self._next_slice
        batch = super().next_batch(*args)
        # aiokafka takes control batches, the ends of transactions, apart in a way of its own; they hold no messages.
        is_plain = not isinstance(batch, DefaultRecordBatch) or batch.is_control_batch
        return batch if is_plain else _Batch(batch, content)


class _Batch:
    """A batch as aiokafka reads it, up to the first name that it can't read."""

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


class _LenientBatch(_DefaultRecordBatchPy):  # type: ignore[misc]  # said to be final
    def _maybe_uncompress(self) -> None:
        super()._maybe_uncompress()
        self._buffer: bytearray = _Bytes(self._buffer)


class _Bytes(bytearray):
    """Bytes whose parts can always be decoded; names of headers are all that is decoded of a batch."""

    def __getitem__(self, place: Any) -> Any:  # noqa: ANN401  a number or a part, as with any bytes
        part = super().__getitem__(place)
        return _Bytes(part) if isinstance(part, bytearray) else part

    def decode(self, encoding: str = "utf-8", _errors: str = "strict") -> str:
        return super().decode(encoding, "backslashreplace")
