# SPDX-License-Identifier: GPL-3.0-or-later
"""The latest of many dead letters, whatever partitions they come from and in whatever order these are read."""

import heapq
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from investigator.delivery.origin import Origin

T = TypeVar("T")

_Moment = tuple[int, int, int]


@dataclass
class NewestN(Generic[T]):
    """Counts what is added, and keeps the latest.

    Args:
        limit: how many are kept; None for all.
    """

    limit: int | None
    count: int = field(default=0, init=False)
    _kept: list[tuple[_Moment, T]] = field(default_factory=list, init=False)

    def add(self, place: Origin, item: T) -> None:
        """Add what is known of a dead letter; each place once."""
        self.count += 1
        heapq.heappush(self._kept, ((place.timestamp_ms, place.partition, place.offset), item))
        if self.limit is not None and len(self._kept) > self.limit:
            heapq.heappop(self._kept)

    def items(self) -> list[T]:
        """Give what was kept, the oldest first."""
        return [item for _, item in sorted(self._kept, key=lambda kept: kept[0])]

    def heading(self, name: str) -> str:
        """Say how many there are of what, and how many of them are shown."""
        shown = len(self._kept)
        return f"{name}: {self.count}" + (f", the latest {shown} of them" if shown < self.count else "")
