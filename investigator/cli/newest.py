# SPDX-License-Identifier: GPL-3.0-or-later
"""The newest of many dead letters, which arrive partition by partition and not in the order of time."""

import heapq
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from investigator.delivery.origin import Origin

T = TypeVar("T")

#: Timestamp in milliseconds, partition, offset.
_SortKey = tuple[int, int, int]


@dataclass
class NewestN(Generic[T]):
    """Counts the items that are added, and retains the newest.

    Args:
        limit: how many items to retain; None for all.
    """

    limit: int | None
    count: int = field(default=0, init=False)
    _retained: list[tuple[_SortKey, T]] = field(default_factory=list, init=False)

    def add(self, position: Origin, item: T) -> None:
        """Add the item of the dead letter at a position; each position at most once."""
        self.count += 1
        heapq.heappush(self._retained, ((position.timestamp_ms, position.partition, position.offset), item))
        if self.limit is not None and len(self._retained) > self.limit:
            heapq.heappop(self._retained)

    def items(self) -> list[T]:
        """Return the retained items, the oldest first."""
        return [item for _, item in sorted(self._retained, key=lambda entry: entry[0])]

    def heading(self, name: str) -> str:
        """Return a heading with the count and, where not all items are shown, the number of shown ones."""
        shown = len(self._retained)
        return f"{name}: {self.count}" + (f", the latest {shown} of them" if shown < self.count else "")
