# SPDX-License-Identifier: GPL-3.0-or-later
"""Partitions that can't be read now: they are left alone and tried again, and all others go on.

aiokafka raises instead, which ends the worker, and each one after it; and what it had fetched of other partitions is
gone by then.
"""

import asyncio
import logging
from collections.abc import Collection, Iterator
from typing import Any

from aiokafka import ConsumerRecord, TopicPartition
from aiokafka.consumer import fetcher
from aiokafka.consumer.fetcher import FetchResult, PartitionRecords

#: How long a partition is left alone before it is tried again, and its trouble is told again.
PAUSE_SECONDS = 10.0

_LOGGER = logging.getLogger(__name__)
_UNREADABLE = (
    "%s partition %s can't be read at offset %s and is left alone, while all else goes on: %r. It is tried again every "
    "%g seconds; nothing is skipped. If no broker has a sound copy, see docs/kafka.md on what can't be read"
)


def pause_temporarily(assignment: Any, places: Collection[TopicPartition]) -> bool:  # noqa: ANN401  aiokafka has no types
    """Fetch nothing of these partitions for a while; tells whether anything was fetched of them until now.

    Args:
        assignment: the consumer's assignment of partitions.
        places: some of its partitions.
    """
    states = [assignment.state_value(place) for place in places]
    states = [state for state in states if not state.paused]
    for state in states:
        state.pause()
        asyncio.get_running_loop().call_later(PAUSE_SECONDS, state.resume)
    return bool(states)


def pause_on_unreadable_batch() -> None:
    """Let all consumers of this process take up what comes before a batch that can't be read, and leave it there."""
    fetcher.PartitionRecords = _SafePartitionRecords
    fetcher.FetchResult = _PausingFetchResult


class _SafePartitionRecords(PartitionRecords):  # type: ignore[misc]  # aiokafka has no types
    """The records of a partition up to the first batch that is damaged, or compressed in a way that is not known."""

    damage: Exception | None = None

    def _unpack_records(self) -> Iterator[ConsumerRecord]:
        try:
            yield from super()._unpack_records()
        except Exception as error:  # noqa: BLE001  each way of compression has errors of its own
            self.damage = error


class _PausingFetchResult(FetchResult):  # type: ignore[misc]  # aiokafka has no types
    def _update_position(self) -> None:
        super()._update_position()
        records, place = self._partition_records, self._topic_partition
        if records.damage is not None and pause_temporarily(self._assignment, [place]):
            _LOGGER.error(_UNREADABLE, *place, records.next_fetch_offset, records.damage, PAUSE_SECONDS)
