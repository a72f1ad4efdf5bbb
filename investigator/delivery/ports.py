# SPDX-License-Identifier: GPL-3.0-or-later
"""What the delivery engine needs from the world around it."""

from contextlib import AbstractContextManager
from typing import Protocol

from investigator.delivery.messages import Delivery
from investigator.delivery.retry import Failure


class Observer(Protocol):
    """Told what happens to messages; counts and logs it."""

    def context(self, delivery: Delivery) -> AbstractContextManager[None]:
        """Give the context in which all that is done for the message runs."""

    def started(self, delivery: Delivery) -> None:
        """The message is being worked on."""

    def failed_attempt(self, delivery: Delivery, error: Exception, attempts: int) -> None:
        """An attempt failed; so many have failed by now."""

    def exhausted(self, delivery: Delivery, failure: Failure) -> None:
        """No attempt is left."""

    def stopped(self, delivery: Delivery, *, succeeded: bool) -> None:
        """The message is not being worked on any more."""

    def finished(self, delivery: Delivery, seconds: float) -> None:
        """Its offset may be committed, so many seconds after it was taken up."""


class DeadLetters(Protocol):
    """Keeps the messages that were given up."""

    def accepts(self, delivery: Delivery) -> bool:
        """Tell whether a message of this topic that is given up is to be kept instead of halting the topic."""

    def record_success(self, delivery: Delivery) -> None:
        """Note that a message of the topic was handled well."""

    async def publish(self, delivery: Delivery, failure: Failure) -> None:
        """Keep the message; returns when the broker has it, raises where it can't be kept."""
