# SPDX-License-Identifier: GPL-3.0-or-later
"""The hand: the messages that were taken up and are not finished, and which of them go before which."""

import asyncio
from collections import Counter
from collections.abc import Collection

from investigator.delivery.ledger import Partition
from investigator.delivery.messages import InHand

Task = asyncio.Task[None]


class Hand:
    """Keeps the messages in hand, each with the task that handles it."""

    def __init__(self) -> None:
        self._messages: dict[Task, InHand] = {}
        self._numbers: Counter[str] = Counter()
        self._parked: Counter[str] = Counter()
        self._last_of_key: dict[tuple[str, bytes | None], InHand] = {}

    def all(self) -> list[InHand]:
        """Give all messages in hand."""
        return list(self._messages.values())

    def of(self, partitions: Collection[Partition]) -> dict[Task, InHand]:
        """Give the messages of some partitions, by their tasks."""
        return {task: each for task, each in self._messages.items() if each.ticket.partition in partitions}

    def number(self, topic: str) -> int:
        """Tell how many messages of a topic are in hand."""
        return self._numbers[topic]

    def follow(self, message: InHand) -> InHand | None:
        """Line up the message behind the last one of its key; give that one, if it is still in hand."""
        if message.delivery.key is None:
            return None
        predecessor = self._last_of_key.get(message.delivery.topic_and_key)
        self._last_of_key[message.delivery.topic_and_key] = message
        return predecessor

    def add(self, task: Task, message: InHand) -> None:
        """Take in a message, and the task that handles it."""
        self._messages[task] = message
        self._numbers[message.delivery.topic] += 1

    def remove(self, task: Task) -> InHand:
        """Let go of the message whose task has ended; give it."""
        message = self._messages.pop(task)
        delivery = message.delivery
        self._numbers[delivery.topic] -= 1
        if self._last_of_key.get(delivery.topic_and_key) is message:
            del self._last_of_key[delivery.topic_and_key]
        self.unpark(message)
        message.done.set()
        return message

    def park(self, message: InHand) -> None:
        """Note that the message halted its topic: it goes before all others of the topic when that is resumed."""
        self._parked[message.delivery.topic] += not message.is_parked
        message.is_parked = True

    def unpark(self, message: InHand) -> None:
        """Note that the message is tried again, or will not be."""
        self._parked[message.delivery.topic] -= message.is_parked
        message.is_parked = False

    def is_first(self, message: InHand) -> bool:
        """Tell whether no message of the topic goes before this one."""
        return message.is_parked or not self._parked[message.delivery.topic]
