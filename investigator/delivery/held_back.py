# SPDX-License-Identifier: GPL-3.0-or-later
"""The messages that wait for something unavailable, and make room in their topic for those that need something else."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from investigator.delivery.messages import InFlightMessage


class HeldBack:
    """Bounds how many messages make room while they are held back; the others count among those in flight.

    Args:
        max_messages: how many, over all topics.
        max_bytes: how many bytes their values may have.
    """

    def __init__(self, max_messages: int, max_bytes: int) -> None:
        self._max_messages = max_messages
        self._max_bytes = max_bytes
        self._by_topic: Counter[str] = Counter()
        self._bytes = 0

    def making_room(self, topic: str) -> int:
        """Return how many messages of a topic make room."""
        return self._by_topic[topic]

    @contextmanager
    def hold(self, message: InFlightMessage) -> Iterator[None]:
        """Let the message make room while the block runs, if the limits allow.

        Several blocks may run side by side, and end in any order: the last one ends it.
        """
        message.holds += 1
        if not message.makes_room and self._has_room(message):
            self._add(message, 1)
        try:
            yield
        finally:
            message.holds -= 1
            if message.makes_room and not message.holds:
                self._add(message, -1)

    def _has_room(self, message: InFlightMessage) -> bool:
        return self._by_topic.total() < self._max_messages and self._bytes + _size(message) <= self._max_bytes

    def _add(self, message: InFlightMessage, number: int) -> None:
        message.makes_room = number > 0
        self._by_topic[message.delivery.topic] += number
        self._bytes += number * _size(message)


def _size(message: InFlightMessage) -> int:
    return len(message.delivery.value or b"")
