# SPDX-License-Identifier: GPL-3.0-or-later
"""The ledger: which offset of each partition may be committed.

Messages are taken up in the order of their offsets and finished in any order. What may be committed is the first
offset that is not finished, and nothing beyond it: a crash then brings back every unfinished message and no message
is lost. What was finished beyond it goes with the commit as a note, so that whoever gets the partition next does not do
that again. A partition that is assigned anew starts on a fresh page; a ticket of an older page changes nothing.
"""

from dataclasses import dataclass, field
from typing import NamedTuple


class Partition(NamedTuple):
    """A partition of a topic."""

    topic: str
    number: int


@dataclass(frozen=True, slots=True)
class AckToken:
    """The right to finish one offset, valid for the assignment in which the message was taken up."""

    partition: Partition
    offset: int
    epoch: int


class CommitPosition(NamedTuple):
    """What is committed of a partition.

    Args:
        offset: the first offset that is not finished.
        finished: the offsets beyond it that are.
    """

    offset: int
    finished: frozenset[int] = frozenset()


@dataclass(slots=True)
class _PartitionState:
    epoch: int
    #: One past the highest offset taken up, None before the first one.
    next: int | None = None
    #: Offsets in hand, in the order in which they were taken up, which is ascending.
    unfinished: dict[int, None] = field(default_factory=dict)
    #: Offsets that were finished beyond the first unfinished one, by this owner or by the one before it.
    finished: set[int] = field(default_factory=set)
    #: Where the commit of the owner before lay, None where it told of nothing finished.
    restored: int | None = None
    committed: CommitPosition | None = None

    @property
    def position(self) -> int | None:
        position = next(iter(self.unfinished), self.next)
        while position is not None and position in self.finished:
            position += 1
        return position

    def mark(self) -> CommitPosition | None:
        """Give what may be committed; what was passed and can't come any more need not be remembered."""
        position = self.position
        if position is None or self.next is None:
            return None
        self.finished = {offset for offset in self.finished if offset >= min(position, self.next)}
        return CommitPosition(position, frozenset(offset for offset in self.finished if offset > position))


class Ledger:
    """Keeps a page for each assigned partition. Not thread-safe: it belongs to the event loop.

    Args:
        max_ahead: how many offsets may be taken up from the first unfinished one on; what comes again after a crash,
            and the memory of the ledger, are bounded by it.
    """

    def __init__(self, max_ahead: int) -> None:
        self._max_ahead = max_ahead
        self._partitions: dict[Partition, _PartitionState] = {}
        self._last_epoch = 0

    def assign(self, partition: Partition) -> None:
        """Start a fresh page: whatever was in hand of an earlier assignment no longer counts."""
        self._last_epoch += 1
        self._partitions[partition] = _PartitionState(self._last_epoch)

    def restore(self, partition: Partition, mark: CommitPosition) -> None:
        """Note what the partition's last owner finished beyond its commit; of use before the first message only."""
        page = self._partitions.get(partition)
        if page is not None and page.next is None:
            page.restored = mark.offset
            page.finished.update(mark.finished)

    def set_start_offset(self, partition: Partition, offset: int) -> None:
        """Let a partition of which nothing is committed begin at an offset, which may be committed at once."""
        page = self._partitions.get(partition)
        if page is not None and page.next is None:
            page.next = offset

    def revoke(self, partition: Partition) -> None:
        """Forget the partition; its tickets change nothing from now on."""
        self._partitions.pop(partition, None)

    def assigned(self) -> frozenset[Partition]:
        """Tell the partitions that have a page."""
        return frozenset(self._partitions)

    def epoch(self, partition: Partition) -> int | None:
        """Give the number of the partition's page, which no other assignment has; None where it is not assigned."""
        page = self._partitions.get(partition)
        return None if page is None else page.epoch

    def is_current(self, partition: Partition, epoch: int | None) -> bool:
        """Return whether the epoch is that of the partition's assignment now: the one comparison of epochs there is."""
        return epoch is not None and epoch == self.epoch(partition)

    def has_room(self, partition: Partition, offset: int) -> bool:
        """Tell whether the offset is near enough to the first unfinished one to be taken up.

        Where nothing is unfinished any offset is: a topic may lack millions in between, compacted or expired.
        """
        page = self._partitions.get(partition)
        first = offset if page is None else next(iter(page.unfinished), offset)
        return offset - first < self._max_ahead

    def accept(self, partition: Partition, offset: int) -> AckToken | None:
        """Take up an offset; None where there is nothing to do: not assigned, finished, or in hand already."""
        page = self._partitions.get(partition)
        if page is None or (page.next is not None and offset < page.next):
            return None
        if page.next is None and page.restored is not None and offset < page.restored:
            # Who goes back to before the commit wants it all again, or the topic was made anew.
            page.restored = None
            page.finished.clear()
        page.next = offset + 1
        if offset in page.finished:
            return None
        page.unfinished[offset] = None
        return AckToken(partition, offset, page.epoch)

    def is_valid(self, ack_token: AckToken) -> bool:
        """Tell whether the assignment of the ticket still lasts."""
        return self.is_current(ack_token.partition, ack_token.epoch)

    def finish(self, ack_token: AckToken) -> None:
        """Note that the message is done with; a ticket of an older assignment changes nothing."""
        if self.is_valid(ack_token):
            page = self._partitions[ack_token.partition]
            page.unfinished.pop(ack_token.offset, None)
            page.finished.add(ack_token.offset)

    def is_done(self, partition: Partition, offset: int) -> bool:
        """Tell whether the offset is known to be done with, in this assignment or before it."""
        page = self._partitions.get(partition)
        if page is None or offset in page.unfinished:
            return False
        return offset in page.finished or offset < max(page.next or 0, page.restored or 0)

    def position(self, partition: Partition) -> int | None:
        """Give the first offset that is not finished, None where nothing was taken up."""
        page = self._partitions.get(partition)
        return None if page is None else page.position

    def committable(self) -> dict[Partition, CommitPosition]:
        """Give for each partition what to commit, where that changed since the last commit."""
        marks = {partition: (page.mark(), page.committed) for partition, page in self._partitions.items()}
        return {partition: new for partition, (new, old) in marks.items() if new is not None and new != old}

    def committed(self, partition: Partition, mark: CommitPosition) -> None:
        """Note that the broker has the commit."""
        if page := self._partitions.get(partition):
            page.committed = mark
