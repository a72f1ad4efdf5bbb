# SPDX-License-Identifier: GPL-3.0-or-later
"""The in-flight messages, and the order in which messages with the same key must run."""

import asyncio
from collections import Counter
from collections.abc import Collection

from investigator.delivery.held_back import HeldBack
from investigator.delivery.ledger import Partition
from investigator.delivery.messages import InFlightMessage

Task = asyncio.Task[None]


class InFlightMessages:
    """The messages that were accepted and are not finished, each with the task that processes it."""

    def __init__(self, held_back: HeldBack) -> None:
        self.held_back = held_back
        self._messages: dict[Task, InFlightMessage] = {}
        self._counts: Counter[str] = Counter()
        self._blocking: Counter[str] = Counter()
        self._last_of_key: dict[tuple[str, bytes | None], InFlightMessage] = {}

    def messages(self) -> list[InFlightMessage]:
        """Return all messages in flight."""
        return list(self._messages.values())

    def by_task(self, partitions: Collection[Partition]) -> dict[Task, InFlightMessage]:
        """Return the messages of some partitions, by their tasks."""
        return {task: each for task, each in self._messages.items() if each.ack_token.partition in partitions}

    def count(self, topic: str) -> int:
        """Return how many messages of a topic are in flight, those aside that are held back and make room."""
        return self._counts[topic] - self.held_back.making_room(topic)

    def enqueue_by_key(self, message: InFlightMessage) -> InFlightMessage | None:
        """Make the message the last one of its key; return the one that it has to wait for, None if there is none."""
        if message.delivery.key is None:
            return None
        predecessor = self._last_of_key.get(message.delivery.topic_and_key)
        self._last_of_key[message.delivery.topic_and_key] = message
        return predecessor

    def add(self, task: Task, message: InFlightMessage) -> None:
        """Add a message, and the task that processes it."""
        self._messages[task] = message
        self._counts[message.delivery.topic] += 1

    def remove(self, task: Task) -> InFlightMessage:
        """Remove and return the message whose task has ended."""
        message = self._messages.pop(task)
        delivery = message.delivery
        self._counts[delivery.topic] -= 1
        if self._last_of_key.get(delivery.topic_and_key) is message:
            del self._last_of_key[delivery.topic_and_key]
        self.unblock(message)
        message.done.set()
        return message

    def block(self, message: InFlightMessage) -> None:
        """Let the message block its topic: no other message of the topic starts before it, even after a resume."""
        self._blocking[message.delivery.topic] += not message.is_blocking
        message.is_blocking = True

    def unblock(self, message: InFlightMessage) -> None:
        """Let the message block its topic no longer: it is being retried, or it is finished."""
        self._blocking[message.delivery.topic] -= message.is_blocking
        message.is_blocking = False

    def is_blocked(self, message: InFlightMessage) -> bool:
        """Return whether another message of the topic, one that blocks it, has to start before this one."""
        return not message.is_blocking and self._blocking[message.delivery.topic] > 0
