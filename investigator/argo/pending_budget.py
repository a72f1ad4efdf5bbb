# SPDX-License-Identifier: GPL-3.0-or-later
"""The arithmetic of the pending limit: what one worker may create by what it knows, without any waiting.

Several workers share a limit and know nothing of each other's creations but what the cluster counts. So each takes no
more than its share of the room that a count shows, less what it created so recently that other workers may still go by
counts without it. A creation that the cluster is slow to carry out is in no count yet: where creations take long, the
next count waits for as long as those of the other workers may take. One workflow may always be created where the count
allows it and shows all of this worker's own: by that alone, workers go beyond the limit by at most one each.
"""

import math
from dataclasses import dataclass, field


@dataclass(slots=True)
class Budget:
    """What is known of the pending workflows of a namespace; ``now`` is loop time, ``every`` is in seconds."""

    limit: int
    interval: float
    _counted: int | None = None  # what the last count said; None while the next one is under way
    _began: float = -math.inf  # the last count
    _ended: float = -math.inf  # the last count that was answered
    _created: int = 0
    _seen_by_us: int = 0  # of those created, how many the last count shows
    _seen_by_all: int = 0  # of these, how many the counts of all other workers show as well
    _under_way: list[float] = field(default_factory=list)  # when those were let in who are not done yet
    _slowest: float = 0.0  # the longest that one took who was done since the last count
    _slowest_before: float = 0.0  # and between the last two

    @property
    def pending(self) -> int | None:
        """The most that can be pending now by our own doing; None where that is not known."""
        return None if self._counted is None else self._counted + self._unseen

    def next_count_at(self, now: float, workers: int = 1) -> float:
        """Tell when the next count may begin, as it looks now, while so many share the limit."""
        due = max(self._began, self._ended) + self.interval  # from the answer on: a slow cluster gets a pause
        if workers == 1:
            return due
        waiting = now - self._under_way[0] if self._under_way and self._under_way[0] <= self._ended else 0.0
        return due + max(self._slowest, self._slowest_before, waiting)

    def begin_count(self, now: float, workers: int = 1) -> None:
        """Note that the cluster is being asked from now on."""
        # Who still goes by an older count than our last one has waited for the answer of the cluster for long.
        is_long_ago = now >= self.next_count_at(now, workers) + self.interval
        self._seen_by_all = self._created if is_long_ago else self._seen_by_us
        self._seen_by_us = self._created
        self._counted = None
        self._began = now

    def end_count(self, now: float, counted: int) -> None:
        """Note what the cluster answered to the question that was begun last."""
        self._counted = counted
        self._ended = now
        self._slowest_before, self._slowest = self._slowest, 0.0

    def may_admit(self, now: float, workers: int = 1) -> bool:
        """Tell whether one more workflow may be created, by a count that is not stale.

        Args:
            now: loop time.
            workers: how many share the limit, at least 1.
        """
        if self.pending is None or now >= self.next_count_at(now, workers) or self.pending > self.limit:
            return False
        is_recent = workers == 1 or now < self._began + self.interval
        return self._unseen == 0 or (is_recent and self._unseen < self._share(workers))

    @property
    def _unseen(self) -> int:
        return self._created + len(self._under_way) - self._seen_by_us

    def _share(self, workers: int) -> int:
        recent = self._seen_by_us - self._seen_by_all
        room = self.limit + 1 - ((self._counted or 0) - recent)
        return room // workers - recent

    def admit(self, now: float) -> None:
        """Note that somebody is about to create a workflow."""
        self._under_way.append(now)

    def finish(self, now: float, began: float, *, created: bool) -> None:
        """Note that who was let in at ``began`` is done; ``created`` unless it is sure that nothing was."""
        self._under_way.remove(began)
        self._slowest = max(self._slowest, now - began)
        if created:
            self._created += 1
