# SPDX-License-Identifier: GPL-3.0-or-later
"""Batches that can't be read: their partition is paused and tried again, and all other partitions continue.

By default aiokafka raises (https://github.com/aio-libs/aiokafka/issues/321). That crashes this worker, then every
worker that takes over the partition, and discards records already fetched from other partitions.

Private names in use: in `_unpack_records` aiokafka reads batch by batch, and in `_update_position` it then moves the
position of the partition; `_assignment`, `_partition_records` and `_topic_partition` are the objects that it reads.
"""

import asyncio
import logging
from collections.abc import Collection, Iterator
from typing import Any

from aiokafka import ConsumerRecord, TopicPartition
from aiokafka.consumer import fetcher
from aiokafka.consumer.fetcher import FetchResult, PartitionRecords

#: How long a partition is paused before it is tried again, and its error is logged again.
PAUSE_SECONDS = 10.0

_LOGGER = logging.getLogger(__name__)
_UNREADABLE = (
    "Paused a partition at an unreadable batch; all others continue, and nothing is skipped. If no broker has a sound "
    "copy, see docs/kafka.md topic=%s partition=%d offset=%d error=%r retry_seconds=%g"
)


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


def pause_on_unreadable_batch() -> None:
    """Let all consumers of this process return the records before an unreadable batch, and pause there."""
    fetcher.PartitionRecords = _SafePartitionRecords
    fetcher.FetchResult = _PausingFetchResult


class _SafePartitionRecords(PartitionRecords):  # type: ignore[misc]  # aiokafka has no types
    """The records of a partition up to the first batch that is damaged, or compressed with an unknown codec."""

    damage: Exception | None = None

    def _unpack_records(self) -> Iterator[ConsumerRecord]:
        try:
            yield from super()._unpack_records()
        except Exception as error:  # noqa: BLE001  each codec has errors of its own
            self.damage = error


class _PausingFetchResult(FetchResult):  # type: ignore[misc]  # aiokafka has no types
    def _update_position(self) -> None:
        super()._update_position()
        records, partition = self._partition_records, self._topic_partition
        if records.damage is not None and pause_temporarily(self._assignment, [partition]):
            _LOGGER.error(_UNREADABLE, *partition, records.next_fetch_offset, records.damage, PAUSE_SECONDS)
