# SPDX-License-Identifier: GPL-3.0-or-later
"""The messages that wait for something unavailable, and make room in their topic for those that need something else.

The room is bounded, by messages and by bytes. An outage that concerns one topic, or a long chain of messages with one
key, must not use all of it: the held-back messages of the other topics would then block their own topics.
"""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from investigator.delivery.messages import InFlightMessage
from investigator.delivery.policy import DispatchPolicy


class _Room:
    """A limit; half of it is divided among the topics, and the other half is for any topic that needs more."""

    def __init__(self, limit: int, topics: int) -> None:
        self._share = limit // 2 // topics
        self._common = limit - topics * self._share
        self._used: Counter[str] = Counter()

    def used(self, topic: str) -> int:
        """Return how much a topic uses."""
        return self._used[topic]

    def has(self, topic: str, amount: int) -> bool:
        """Return whether a topic may use this amount, besides what it uses already."""
        used = {**self._used, topic: self._used[topic] + amount}
        return sum(max(0, each - self._share) for each in used.values()) <= self._common

    def use(self, topic: str, amount: int) -> None:
        """Record that a topic uses this amount more, or less if it is negative."""
        self._used[topic] += amount


class HeldBack:
    """Bounds how many messages make room while they are held back; the others count among those in flight.

    Args:
        policy: has the limits, and the number of topics.
    """

    def __init__(self, policy: DispatchPolicy) -> None:
        self._messages = _Room(policy.max_held_back, policy.topics)
        self._bytes = _Room(policy.max_held_back_bytes, policy.topics)

    def making_room(self, topic: str) -> int:
        """Return how many messages of a topic make room."""
        return self._messages.used(topic)

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
        topic = message.delivery.topic
        return self._messages.has(topic, 1) and self._bytes.has(topic, _size(message))

    def _add(self, message: InFlightMessage, number: int) -> None:
        message.makes_room = number > 0
        self._messages.use(message.delivery.topic, number)
        self._bytes.use(message.delivery.topic, number * _size(message))


def _size(message: InFlightMessage) -> int:
    return len(message.delivery.value or b"")
