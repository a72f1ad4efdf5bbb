# SPDX-License-Identifier: GPL-3.0-or-later
"""Paginated lists as in Kubernetes: every page shows the state at the time of the first page."""

import itertools
from collections import OrderedDict
from typing import Generic, TypeVar

from sandbox.statuses import Refusal

__all__ = ["Pager"]

T = TypeVar("T")
_MAX_OPEN_LISTS = 64  # the token of an older list is answered with 410, as after a compaction of etcd


class Pager(Generic[T]):
    """The remaining items of the lists that clients have read in part, by continue token."""

    def __init__(self) -> None:
        """Start without open lists."""
        self._remainders: OrderedDict[str, list[T]] = OrderedDict()
        self._tokens = itertools.count(1)

    def first(self, items: list[T], limit: int) -> tuple[list[T], str]:
        """Return the first page and the token of the next, "" after the last page; a limit of 0 means no limit."""
        if not limit or len(items) <= limit:
            return items, ""
        return self._split(items, limit)

    def following(self, token: str, limit: int) -> tuple[list[T], str]:
        """Return the page of a token and the token of the next; raises a Refusal with status 410 for an old token."""
        items = self._remainders.get(token)
        if items is None:
            raise Refusal(410, "Expired", "The provided continue parameter is too old to display a consistent list")
        return self.first(items, limit)

    def _split(self, items: list[T], limit: int) -> tuple[list[T], str]:
        token = f"page-{next(self._tokens)}"
        self._remainders[token] = items[limit:]
        while len(self._remainders) > _MAX_OPEN_LISTS:
            self._remainders.popitem(last=False)
        return items[:limit], token
