# SPDX-License-Identifier: GPL-3.0-or-later
"""The order in which requests of one namespace get their turn: urgent ones first, but never for ever.

An urgent request does not wait for the bulk requests that came before it. Under steady urgent traffic that alone would
starve the others. So a request that is overdue gets every fourth turn, while urgent requests keep three of four.
"""

import asyncio
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Generic, TypeVar

T = TypeVar("T")

# A user leaves after minutes; work for bots may be late by as much as it takes to serve a burst of users.
_OVERDUE_SECONDS = 60.0
# Three of four turns keep users quick, and one of four is enough for the bulk: its backlog shrinks in any case.
_URGENT_TURNS = 3


@dataclass(slots=True, eq=False)
class Request(Generic[T]):
    """A request that waits for its turn.

    Attributes:
        urgent: whether it precedes those that are not urgent.
        since: the loop time from which on it waits.
        turn: gets what the owner of the queue gives at its turn.
    """

    urgent: bool
    since: float
    turn: "asyncio.Future[T]" = field(default_factory=lambda: asyncio.get_running_loop().create_future())


class RequestQueue(Generic[T]):
    """The requests that wait, in two classes; within a class in the order of their arrival. ``now`` is loop time."""

    def __init__(self) -> None:
        self._urgent: OrderedDict[Request[T], None] = OrderedDict()
        self._others: OrderedDict[Request[T], None] = OrderedDict()
        self._urgent_turns = 0  # in a row, while another request was overdue

    def __len__(self) -> int:
        """Return how many requests wait."""
        return len(self._urgent) + len(self._others)

    def add(self, *, urgent: bool, since: float) -> Request[T]:
        """Add a request behind those of its class."""
        request: Request[T] = Request(urgent, since)
        (self._urgent if urgent else self._others)[request] = None
        return request

    def discard(self, request: Request[T]) -> None:
        """Remove a request, whether it waits or not."""
        (self._urgent if request.urgent else self._others).pop(request, None)

    def pop(self, now: float) -> Request[T] | None:
        """Remove and return the request that is next; None if none waits."""
        request = self._first(now)
        if request is not None:
            self._urgent_turns = self._urgent_turns + 1 if request.urgent and self._is_overdue(now) else 0
            self.discard(request)
        return request

    def _first(self, now: float) -> Request[T] | None:
        is_turn_of_others = self._urgent_turns >= _URGENT_TURNS and self._is_overdue(now)
        classes = (self._others, self._urgent) if is_turn_of_others else (self._urgent, self._others)
        return next((request for requests in classes for request in requests), None)

    def _is_overdue(self, now: float) -> bool:
        oldest = next(iter(self._others), None)
        return oldest is not None and now - oldest.since >= _OVERDUE_SECONDS
