# SPDX-License-Identifier: GPL-3.0-or-later
"""The calls that wait for an operation, in the order in which they arrived."""

import asyncio
from collections import defaultdict, deque
from enum import Enum, auto


class Turn(Enum):
    """How a wait ends, other than with an error."""

    CONTINUE = auto()
    PROBE = auto()


class Turns:
    """The waiting calls of each operation; a cancelled call loses its place."""

    def __init__(self) -> None:
        self._queues: defaultdict[str, deque[asyncio.Future[Turn]]] = defaultdict(deque)

    def counts(self) -> dict[str, int]:
        """Return how many calls wait for each operation."""
        return {operation: len(queue) for operation, queue in self._queues.items()}

    def join(self, operation: str) -> "asyncio.Future[Turn]":
        """Return the turn of another call, which waits after the others."""
        turn: asyncio.Future[Turn] = asyncio.get_running_loop().create_future()
        self._queues[operation].append(turn)
        return turn

    def leave(self, operation: str, turn: "asyncio.Future[Turn]") -> None:
        """Remove the turn of a call that waits no longer."""
        if turn in self._queues.get(operation, ()):
            self._queues[operation].remove(turn)
            self._drop_if_empty(operation)

    def pop(self, operation: str) -> "asyncio.Future[Turn] | None":
        """Remove and return the turn of the call that has waited longest, cancelled ones aside."""
        queue = self._queues[operation]
        turn = next((turn for turn in iter(lambda: queue.popleft() if queue else None, None) if not turn.done()), None)
        self._drop_if_empty(operation)
        return turn

    def _drop_if_empty(self, operation: str) -> None:
        if not self._queues[operation]:
            del self._queues[operation]
