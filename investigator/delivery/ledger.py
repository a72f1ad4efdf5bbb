# SPDX-License-Identifier: GPL-3.0-or-later
"""The ledger decides which offset of each partition to commit.

Messages are accepted in the order of their offsets and finish in any order. The offset to commit is the first one that
is not finished: after a crash every unfinished message is redelivered and no message is lost. The offsets finished
after it are stored as metadata of the commit, so that the next owner of the partition does not process them again.
Each assignment of a partition has its own epoch; an ack token of an older epoch has no effect.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple


class Partition(NamedTuple):
    """A partition of a topic."""

    topic: str
    number: int


@dataclass(frozen=True, slots=True)
class AckToken:
    """The right to finish one offset, valid in the assignment epoch in which the message was accepted."""

    partition: Partition
    offset: int
    epoch: int


class CommitPosition(NamedTuple):
    """The commit of a partition: the offset to commit, and its metadata.

    Args:
        offset: the first offset that is not finished.
        finished: the finished offsets after it.
    """

    offset: int
    finished: frozenset[int] = frozenset()


@dataclass(slots=True)
class _PartitionState:
    epoch: int
    #: One past the highest accepted offset, None before the first one.
    next_offset: int | None = None
    #: Offsets in flight, in the order in which they were accepted, which is ascending.
    unfinished: dict[int, None] = field(default_factory=dict)
    #: Offsets finished after the first unfinished one, by this owner or by the previous one.
    finished: set[int] = field(default_factory=set)
    #: The offset that the previous owner committed, None if its commit had no metadata.
    restored_offset: int | None = None
    last_commit: CommitPosition | None = None
    #: What the brokers have stored, by a commit of this owner or of an earlier one; None if that is unknown.
    stored: CommitPosition | None = None

    @property
    def commit_offset(self) -> int | None:
        offset = next(iter(self.unfinished), self.next_offset)
        while offset is not None and offset in self.finished:
            offset += 1
        return offset

    def commit_position(self) -> CommitPosition | None:
        """Return what to commit, and forget the finished offsets that no later message can have."""
        offset = self.commit_offset
        if offset is None or self.next_offset is None:
            return None
        first_needed = min(offset, self.next_offset)
        self.finished = {finished for finished in self.finished if finished >= first_needed}
        return CommitPosition(offset, frozenset(finished for finished in self.finished if finished > offset))


class Ledger:
    """Records for each assigned partition what is finished. Not thread-safe: it belongs to the event loop.

    Args:
        max_offset_lead: how many offsets of a partition may be accepted, counted from its first unfinished one. It
            bounds what is redelivered after a crash, and the memory of the ledger.
    """

    def __init__(self, max_offset_lead: int) -> None:
        self._max_offset_lead = max_offset_lead
        self._partitions: dict[Partition, _PartitionState] = {}
        self._last_epoch = 0
        self._listeners: list[Callable[[Partition], None]] = []

    def add_listener(self, listener: Callable[[Partition], None]) -> None:
        """Call the listener with a partition whenever this worker learns what the brokers have stored of it."""
        self._listeners.append(listener)

    def assign(self, partition: Partition) -> None:
        """Start a new epoch of the partition: messages of an earlier assignment no longer count."""
        self._last_epoch += 1
        self._partitions[partition] = _PartitionState(self._last_epoch)

    def restore(self, partition: Partition, position: CommitPosition) -> None:
        """Record what the previous owner committed and finished; ignored after the first accepted message."""
        state = self._partitions.get(partition)
        if state is not None and state.next_offset is None:
            state.restored_offset = position.offset
            state.finished.update(position.finished)
            state.stored = position
            self._notify_listeners(partition)

    def set_start_offset(self, partition: Partition, offset: int) -> None:
        """Make the offset the one to commit for a partition that has no commit and no accepted message yet."""
        state = self._partitions.get(partition)
        if state is not None and state.next_offset is None:
            state.next_offset = offset

    def revoke(self, partition: Partition) -> None:
        """Forget the partition; its ack tokens have no effect from now on."""
        self._partitions.pop(partition, None)

    def assigned(self) -> frozenset[Partition]:
        """Return the assigned partitions."""
        return frozenset(self._partitions)

    def epoch(self, partition: Partition) -> int | None:
        """Return the assignment epoch of the partition, which no other assignment has; None if it is not assigned."""
        state = self._partitions.get(partition)
        return None if state is None else state.epoch

    def is_current(self, partition: Partition, epoch: int | None) -> bool:
        """Return whether the partition is still in this epoch. All comparisons of epochs are made here."""
        return epoch is not None and epoch == self.epoch(partition)

    def has_room(self, partition: Partition, offset: int) -> bool:
        """Return whether the offset is near enough to the first unfinished one to be accepted.

        With nothing unfinished any offset is: millions may be missing in between, compacted or expired.
        """
        state = self._partitions.get(partition)
        first = offset if state is None else next(iter(state.unfinished), offset)
        return offset - first < self._max_offset_lead

    def accept(self, partition: Partition, offset: int) -> AckToken | None:
        """Accept an offset; return None if it must not be processed: not assigned, finished, or already in flight."""
        state = self._partitions.get(partition)
        if state is None or (state.next_offset is not None and offset < state.next_offset):
            return None
        if state.next_offset is None and state.restored_offset is not None and offset < state.restored_offset:
            # An operator rewound the group to before the commit, or the topic was recreated: process everything.
            state.restored_offset = state.stored = None
            state.finished.clear()
        state.next_offset = offset + 1
        if offset in state.finished:
            return None
        state.unfinished[offset] = None
        return AckToken(partition, offset, state.epoch)

    def is_valid(self, ack_token: AckToken) -> bool:
        """Return whether the assignment of the token still lasts."""
        return self.is_current(ack_token.partition, ack_token.epoch)

    def finish(self, ack_token: AckToken) -> None:
        """Record that the message is finished; a token of an older assignment has no effect."""
        if self.is_valid(ack_token):
            state = self._partitions[ack_token.partition]
            state.unfinished.pop(ack_token.offset, None)
            state.finished.add(ack_token.offset)

    def is_committed(self, partition: Partition, offset: int) -> bool:
        """Return whether the brokers have stored that the message is finished, so that no owner receives it again."""
        state = self._partitions.get(partition)
        if state is None or state.stored is None or offset in state.unfinished:
            return False
        return offset < state.stored.offset or offset in state.stored.finished

    def may_come(self, partition: Partition, offset: int) -> bool:
        """Return whether the offset may be accepted in this assignment: it neither was, nor is it finished."""
        state = self._partitions.get(partition)
        if state is None or (state.next_offset is not None and offset < state.next_offset):
            return False
        return not self.is_committed(partition, offset)

    def commit_offset(self, partition: Partition) -> int | None:
        """Return the first offset that is not finished, None if no message was accepted."""
        state = self._partitions.get(partition)
        return None if state is None else state.commit_offset

    def committable(self) -> dict[Partition, CommitPosition]:
        """Return what to commit for each partition for which it changed since the last commit."""
        positions = {
            partition: (state.commit_position(), state.last_commit) for partition, state in self._partitions.items()
        }
        return {partition: new for partition, (new, last) in positions.items() if new is not None and new != last}

    def position(self, partition: Partition) -> CommitPosition | None:
        """Return what there is to commit of one partition, changed or not; None before its first message."""
        state = self._partitions.get(partition)
        return None if state is None else state.commit_position()

    def record_commit(self, partition: Partition, position: CommitPosition) -> None:
        """Record that the broker has stored the commit."""
        if state := self._partitions.get(partition):
            state.last_commit = state.stored = position
            self._notify_listeners(partition)

    def _notify_listeners(self, partition: Partition) -> None:
        for listener in self._listeners:
            listener(partition)
