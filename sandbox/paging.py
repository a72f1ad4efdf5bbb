# SPDX-License-Identifier: GPL-3.0-or-later
"""Lists in pages, as Kubernetes gives them: every page shows the state at the time of the first."""

import itertools
from collections import OrderedDict
from typing import Generic, TypeVar

from sandbox.statuses import Refusal

__all__ = ["Pager"]

T = TypeVar("T")
_KEPT = 64  # lists being read; an older one is answered with 410, as after etcd's compaction


class Pager(Generic[T]):
    """Keeps the rest of the lists of which only the first pages were asked for."""

    def __init__(self) -> None:
        """Start with no list being read."""
        self._rests: OrderedDict[str, list[T]] = OrderedDict()
        self._tokens = itertools.count(1)

    def first(self, items: list[T], limit: int) -> tuple[list[T], str]:
        """Give the first page of a list and the token for the next, "" after the last; a limit of 0 is none."""
        if not limit or len(items) <= limit:
            return items, ""
        return self._split(items, limit)

    def following(self, token: str, limit: int) -> tuple[list[T], str]:
        """Give the page that a token stands for and the token for the next; raises a Refusal, 410, for an old one."""
        items = self._rests.get(token)
        if items is None:
            raise Refusal(410, "Expired", "The provided continue parameter is too old to display a consistent list")
        return self.first(items, limit)

    def _split(self, items: list[T], limit: int) -> tuple[list[T], str]:
        token = f"page-{next(self._tokens)}"
        self._rests[token] = items[limit:]
        while len(self._rests) > _KEPT:
            self._rests.popitem(last=False)
        return items[:limit], token
