# SPDX-License-Identifier: GPL-3.0-or-later
"""The interfaces that the dispatcher needs from the rest of the application."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Protocol

from investigator.delivery.halts import HaltKey, LogEntry
from investigator.delivery.messages import Delivery
from investigator.delivery.retry import Failure


class Observer(Protocol):
    """Counts and logs what happens to messages."""

    def context(self, delivery: Delivery) -> AbstractContextManager[None]:
        """Return the context in which all processing of the message runs."""

    def started(self, delivery: Delivery) -> None:
        """Record that the message has a slot and its attempts begin."""

    def failed_attempt(self, delivery: Delivery, error: Exception, attempts: int) -> None:
        """Record a failed attempt, and the number of attempts that have failed."""

    def exhausted(self, delivery: Delivery, failure: Failure) -> None:
        """Record that no attempt is left."""

    def stopped(self, delivery: Delivery, *, succeeded: bool) -> None:
        """Record that the attempts have ended."""

    def finished(self, delivery: Delivery, seconds: float) -> None:
        """Record that the offset may be committed, this number of seconds after the message was accepted."""


class DeadLetters(Protocol):
    """Publishes failed messages to dead-letter topics."""

    def accepts(self, delivery: Delivery) -> bool:
        """Return whether the failed message is to be published as a dead letter instead of halting its topic."""

    def record_success(self, delivery: Delivery) -> None:
        """Record that a message of the topic succeeded."""

    async def publish(self, delivery: Delivery, failure: Failure) -> None:
        """Publish the message; return when the broker has stored it, raise if it cannot be stored."""


class HaltLog(Protocol):
    """The log that makes halts known to the whole group: every worker reads all records, in one order.

    The records of one worker are written in the order in which it publishes them.
    """

    def publish(self, key: HaltKey, entry: LogEntry, on_written: Callable[[int], None]) -> None:
        """Write the entry, with as many retries as that needs, then call `on_written` with its offset."""
