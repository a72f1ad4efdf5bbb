# SPDX-License-Identifier: GPL-3.0-or-later
"""The hand: the messages that were taken up and are not finished, and which of them go before which."""

import asyncio
from collections import Counter
from collections.abc import Collection

from investigator.delivery.ledger import Partition
from investigator.delivery.messages import InFlightMessage

Task = asyncio.Task[None]


class InFlightMessages:
    """Keeps the messages in hand, each with the task that handles it."""

    def __init__(self) -> None:
        self._messages: dict[Task, InFlightMessage] = {}
        self._numbers: Counter[str] = Counter()
        self._blocking: Counter[str] = Counter()
        self._last_of_key: dict[tuple[str, bytes | None], InFlightMessage] = {}

    def all(self) -> list[InFlightMessage]:
        """Give all messages in hand."""
        return list(self._messages.values())

    def of(self, partitions: Collection[Partition]) -> dict[Task, InFlightMessage]:
        """Give the messages of some partitions, by their tasks."""
        return {task: each for task, each in self._messages.items() if each.ack_token.partition in partitions}

    def count(self, topic: str) -> int:
        """Tell how many messages of a topic are in hand."""
        return self._numbers[topic]

    def queue_behind_key(self, message: InFlightMessage) -> InFlightMessage | None:
        """Line up the message behind the last one of its key; give that one, if it is still in hand."""
        if message.delivery.key is None:
            return None
        predecessor = self._last_of_key.get(message.delivery.topic_and_key)
        self._last_of_key[message.delivery.topic_and_key] = message
        return predecessor

    def add(self, task: Task, message: InFlightMessage) -> None:
        """Take in a message, and the task that handles it."""
        self._messages[task] = message
        self._numbers[message.delivery.topic] += 1

    def remove(self, task: Task) -> InFlightMessage:
        """Let go of the message whose task has ended; give it."""
        message = self._messages.pop(task)
        delivery = message.delivery
        self._numbers[delivery.topic] -= 1
        if self._last_of_key.get(delivery.topic_and_key) is message:
            del self._last_of_key[delivery.topic_and_key]
        self.unblock(message)
        message.done.set()
        return message

    def block(self, message: InFlightMessage) -> None:
        """Note that the message halted its topic: it goes before all others of the topic when that is resumed."""
        self._blocking[message.delivery.topic] += not message.is_blocking
        message.is_blocking = True

    def unblock(self, message: InFlightMessage) -> None:
        """Note that the message is tried again, or will not be."""
        self._blocking[message.delivery.topic] -= message.is_blocking
        message.is_blocking = False

    def is_first(self, message: InFlightMessage) -> bool:
        """Tell whether no message of the topic goes before this one."""
        return message.is_blocking or not self._blocking[message.delivery.topic]
