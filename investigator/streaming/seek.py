# SPDX-License-Identifier: GPL-3.0-or-later
"""Seek all assigned partitions to where the group continues, with one request, and without a wait for their leaders.

aiokafka asks for the commit of each partition in turn, and then waits for the positions of those without one. So a
single partition without a leader delayed all others. Faust waits for `broker_request_timeout`. Then its loop that
resumes the streams ends without an error, and the worker stood still from then on.

All of this runs in the consumer's thread. A seek belongs to the assignment in which it began. Faust cancels a seek when
the next rebalance begins, but not in that thread: a late answer would move the positions of the next assignment.
"""

import asyncio
from collections.abc import Iterable, Mapping
from typing import Any, TypeAlias

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.structs import OffsetAndMetadata

from investigator.delivery.commit_metadata import decode
from investigator.delivery.ledger import CommitPosition, Partition
from investigator.kafka import internals

#: Where the group continues, by partition; None for the oldest message of a partition without a commit.
Positions = Mapping[Partition, CommitPosition | None]

Assignment: TypeAlias = Any  # aiokafka has no types


class Seeker:
    """Seeks the consumer of one worker.

    Args:
        latest: whether a partition without a commit starts at its end, and not at its oldest message.
    """

    def __init__(self, *, latest: bool) -> None:
        self._latest = latest
        self._start_offsets: dict[Partition, int] = {}
        self._sought: Assignment | None = None
        self._waiting: set[asyncio.Task[None]] = set()

    def start_offsets(self) -> Mapping[Partition, int]:
        """Return the ends that a group with `latest` found first, of partitions that have no commit.

        Empty until the seek of the present assignment has its answer: another worker may have committed since.
        """
        is_known = self._sought is not None and self._sought.active
        return dict(self._start_offsets) if is_known else {}

    async def seek(self, consumer: AIOKafkaConsumer) -> Positions:
        """Seek, and return the positions; empty if the next assignment comes before the brokers' answer.

        Raises:
            KafkaError: the brokers refuse.
        """
        assignment = internals.assignment_of(consumer)
        commits = None if assignment is None else await _commits(consumer, assignment)
        if commits is None or not assignment.active:
            return {}
        for partition, commit in commits.items():
            self._start_offsets.pop(Partition(*partition), None)
            consumer.seek(partition, commit.offset)
        self._sought = assignment
        self._seek_uncommitted(consumer, assignment, [each for each in assignment.tps if each not in commits])
        positions = {
            Partition(*partition): decode(each.offset, each.metadata or "") for partition, each in commits.items()
        }
        return {**self._starts(assignment.tps), **positions}

    def _starts(self, partitions: Iterable[TopicPartition]) -> Positions:
        known = {Partition(*each): self._start_offsets.get(Partition(*each)) for each in partitions}
        return {partition: None if offset is None else CommitPosition(offset) for partition, offset in known.items()}

    def _seek_uncommitted(
        self,
        consumer: AIOKafkaConsumer,
        assignment: Assignment,
        partitions: list[TopicPartition],
    ) -> None:
        """Seek partitions without a commit. Faust may have dropped their first messages around a rebalance.

        aiokafka would not seek them: https://github.com/aio-libs/aiokafka/issues/1003.
        """
        if not self._latest:
            internals.reset_to_beginning(consumer, partitions)
            return
        for partition in partitions:
            self._seek_to_first_end(consumer, assignment, partition)

    def _seek_to_first_end(self, consumer: AIOKafkaConsumer, assignment: Assignment, partition: TopicPartition) -> None:
        # aiokafka resolves `latest` to the present end each time: after messages that came since the first time.
        state = assignment.state_value(partition)
        if state.has_valid_position:
            self._start_offsets.setdefault(Partition(*partition), state.position)
        if (offset := self._start_offsets.get(Partition(*partition))) is not None:
            consumer.seek(partition, offset)
            return
        task = asyncio.get_running_loop().create_task(self._note_start(assignment, partition))
        self._waiting.add(task)
        task.add_done_callback(self._waiting.discard)

    async def _note_start(self, assignment: Assignment, partition: TopicPartition) -> None:
        """Note the partition's first position, when its leader answers; that may take as long as it has none."""
        state = assignment.state_value(partition)
        found = asyncio.ensure_future(state.wait_for_position())
        await asyncio.wait({found, assignment.unassign_future}, return_when=asyncio.FIRST_COMPLETED)
        if found.done() and assignment.active:
            self._start_offsets.setdefault(Partition(*partition), state.position)


async def _commits(
    consumer: AIOKafkaConsumer,
    assignment: Assignment,
) -> Mapping[TopicPartition, OffsetAndMetadata] | None:
    """Return the commits of all partitions that have one; None if the assignment ends before the answer."""
    asked = asyncio.ensure_future(internals.fetch_commits(consumer, assignment.tps))
    try:
        await asyncio.wait({asked, assignment.unassign_future}, return_when=asyncio.FIRST_COMPLETED)
        return asked.result() if asked.done() else None
    finally:
        asked.cancel()
