# SPDX-License-Identifier: GPL-3.0-or-later
"""Batches that can't be read: their partition is paused and tried again, and all other partitions continue.

By default aiokafka raises (https://github.com/aio-libs/aiokafka/issues/321). That crashes this worker, then every
worker that takes over the partition, and discards records already fetched from other partitions.

Private names in use: in `_unpack_records` aiokafka reads batch by batch, and in `_update_position` it then moves the
position of the partition; `_assignment`, `_partition_records` and `_topic_partition` are the objects that it reads.
"""

import asyncio
import logging
from collections.abc import Callable, Collection, Iterator
from typing import Any, ClassVar

from aiokafka import ConsumerRecord, TopicPartition
from aiokafka.consumer import fetcher
from aiokafka.consumer.fetcher import FetchResult, PartitionRecords

from investigator.kafka.patches.bounded_decompression import BatchTooLargeError

#: How long a partition is paused before it is tried again, and its error is logged again.
PAUSE_SECONDS = 10.0

_LOGGER = logging.getLogger(__name__)
_UNREADABLE = (
    "Paused a partition at an unreadable batch; all others continue, and nothing is skipped. If no broker has a sound "
    "copy, see docs/kafka.md topic=%s partition=%d offset=%d error=%r retry_seconds=%g"
)
_TOO_LARGE = (
    "Paused a partition at a batch that is too large once it is decompressed; all others continue, and nothing is "
    "skipped. Raise THOTH_INVESTIGATOR_DECOMPRESSED_BATCH_MAX_BYTES, or see docs/kafka.md to go past it topic=%s "
    "partition=%d offset=%d codec=%s limit_bytes=%d retry_seconds=%g"
)

#: Called with topic, partition and reason (`too_large` or `damaged`) each time a partition is paused.
Report = Callable[[str, int, str], None]


def pause_temporarily(assignment: Any, partitions: Collection[TopicPartition]) -> bool:  # noqa: ANN401  aiokafka has no types
    """Stop fetching from partitions for PAUSE_SECONDS; return whether any of them was not paused before.

    Args:
        assignment: the consumer's assignment.
        partitions: some partitions of it.
    """
    states = [assignment.state_value(partition) for partition in partitions]
    states = [state for state in states if not state.paused]
    for state in states:
        state.pause()
        asyncio.get_running_loop().call_later(PAUSE_SECONDS, state.resume)
    return bool(states)


def pause_on_unreadable_batch(*reports: Report) -> None:
    """Let all consumers of this process return the records before an unreadable batch, and pause there."""
    _PausingFetchResult.reports = reports
    fetcher.PartitionRecords = _SafePartitionRecords
    fetcher.FetchResult = _PausingFetchResult


class _SafePartitionRecords(PartitionRecords):  # type: ignore[misc]  # aiokafka has no types
    """The records of a partition up to the first batch that is damaged, or compressed with an unknown codec."""

    damage: Exception | None = None

    def _unpack_records(self) -> Iterator[ConsumerRecord]:
        try:
            yield from super()._unpack_records()
        except Exception as error:  # noqa: BLE001  each codec has errors of its own
            self.damage = error.with_traceback(None)  # its frames hold the content


class _PausingFetchResult(FetchResult):  # type: ignore[misc]  # aiokafka has no types
    reports: ClassVar[tuple[Report, ...]] = ()

    def _update_position(self) -> None:
        super()._update_position()
        records, partition = self._partition_records, self._topic_partition
        if records.damage is not None and pause_temporarily(self._assignment, [partition]):
            _log(partition, records.next_fetch_offset, records.damage)
            reason = "too_large" if isinstance(records.damage, BatchTooLargeError) else "damaged"
            for report in self.reports:
                report(partition.topic, partition.partition, reason)


def _log(partition: TopicPartition, offset: int, damage: Exception) -> None:
    if isinstance(damage, BatchTooLargeError):
        _LOGGER.error(_TOO_LARGE, *partition, offset, damage.compression, damage.limit, PAUSE_SECONDS)
    else:
        _LOGGER.error(_UNREADABLE, *partition, offset, damage, PAUSE_SECONDS)
