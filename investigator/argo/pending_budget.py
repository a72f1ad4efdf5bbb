# SPDX-License-Identifier: GPL-3.0-or-later
"""The arithmetic of the pending limit: how many workflows one worker may create, computed without any waiting.

Several workers share a limit, and learn of each other's creations only from the counts of the cluster. Each worker may
use `free capacity / number of workers`, minus its own recent creations that other workers may not have counted yet.

A creation that the cluster is slow to carry out is in no count yet. Where creations are slow, the next count therefore
waits for as long as the creations of other workers may take. A worker may always create one workflow if the count is
within the limit and includes all of its own creations; only by that do workers exceed the limit, by at most one each.
"""

import math
from dataclasses import dataclass, field


@dataclass(slots=True)
class PendingBudget:
    """The state of one namespace; ``now`` is loop time, ``interval`` between two counts is in seconds."""

    limit: int
    interval: float
    _counted: int | None = None  # the result of the last count; None while the next count is in progress
    _count_began: float = -math.inf  # when the last count began
    _count_ended: float = -math.inf  # when the last count succeeded
    _created: int = 0
    _seen_by_us: int = 0  # how many of our creations the last count includes
    _seen_by_all: int = 0  # how many of these the counts of all other workers include as well
    _creating: list[float] = field(default_factory=list)  # when each creation in progress was admitted, oldest first
    _slowest: float = 0.0  # the longest duration of a creation that ended since the last count
    _slowest_before: float = 0.0  # the same between the last two counts

    @property
    def pending(self) -> int | None:
        """The highest possible number of pending workflows, other workers' creations since the count aside.

        None while a count is in progress, and before the first one.
        """
        return None if self._counted is None else self._counted + self._unseen

    def next_count_at(self, now: float, members: int = 1) -> float:
        """Return when the next count may begin if ``members`` workers share the limit."""
        due = max(self._count_began, self._count_ended) + self.interval  # a slow cluster gets a pause after its answer
        if members == 1:
            return due
        running = now - self._creating[0] if self._creating and self._creating[0] <= self._count_ended else 0.0
        return due + max(self._slowest, self._slowest_before, running)

    def begin_count(self, now: float, members: int = 1) -> None:
        """Record that a count begins."""
        # If the previous count is older than this, every other worker must have counted since then.
        counted_by_all = now >= self.next_count_at(now, members) + self.interval
        self._seen_by_all = self._created if counted_by_all else self._seen_by_us
        self._seen_by_us = self._created
        self._counted = None
        self._count_began = now

    def end_count(self, now: float, counted: int) -> None:
        """Record the result of the count in progress."""
        self._counted = counted
        self._count_ended = now
        self._slowest_before, self._slowest = self._slowest, 0.0

    def may_admit(self, now: float, members: int = 1) -> bool:
        """Return whether one more workflow may be created, by a count that has not expired.

        Args:
            now: loop time.
            members: how many workers share the limit, at least 1.
        """
        if self.pending is None or now >= self.next_count_at(now, members) or self.pending > self.limit:
            return False
        is_recent = members == 1 or now < self._count_began + self.interval
        return self._unseen == 0 or (is_recent and self._unseen < self._share(members))

    @property
    def _unseen(self) -> int:
        return self._created + len(self._creating) - self._seen_by_us

    def _share(self, members: int) -> int:
        recent = self._seen_by_us - self._seen_by_all
        free = self.limit + 1 - ((self._counted or 0) - recent)
        return free // members - recent

    def admit(self, now: float) -> None:
        """Record that the creation of a workflow begins."""
        self._creating.append(now)

    def finish(self, now: float, admitted_at: float, *, created: bool) -> None:
        """Record the end of a creation.

        Args:
            now: loop time.
            admitted_at: the loop time at which it was admitted.
            created: False only if it certainly created nothing.
        """
        self._creating.remove(admitted_at)
        self._slowest = max(self._slowest, now - admitted_at)
        if created:
            self._created += 1
