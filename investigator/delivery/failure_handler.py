# SPDX-License-Identifier: GPL-3.0-or-later
"""What becomes of a message that was given up: it is kept as a dead letter, skipped, or halts its topic."""

import logging
from collections.abc import Callable

from investigator.delivery.errors import PermanentError
from investigator.delivery.halt_coordinator import HaltCoordinator
from investigator.delivery.halts import FailedMessage, ResumeAction
from investigator.delivery.in_flight import InFlightMessages
from investigator.delivery.messages import InFlightMessage
from investigator.delivery.ports import DeadLetters, Observer
from investigator.delivery.retry import Failure

_LOGGER = logging.getLogger(__name__)

# What a halt says of an error is read on a page, and held by every worker.
_MAX_ERROR = 1000


class FailureHandler:
    """Ends messages, and tells of each whether it is done with.

    Args:
        board: halts topics.
        dead_letters: keeps messages.
        observer: is told of what was given up.
        hand: the messages in hand.
        redact: removes passwords from a text.
    """

    def __init__(
        self,
        halt_coordinator: HaltCoordinator,
        dead_letters: DeadLetters,
        observer: Observer,
        in_flight: InFlightMessages,
        redact: Callable[[str], str],
    ) -> None:
        self._halt_coordinator = halt_coordinator
        self._dead_letters = dead_letters
        self._observer = observer
        self._hand = in_flight
        self._redact = redact

    async def handle_exhausted(self, message: InFlightMessage, failure: Failure) -> bool:
        """End a message that has no attempt left, as the policy of its topic says."""
        self._observer.exhausted(message.delivery, failure)
        if self._dead_letters.accepts(message.delivery):
            return await self._dead_letter(message, failure)
        return self.halt(message, failure)

    async def apply_decision(self, message: InFlightMessage, action: ResumeAction, cause: FailedMessage) -> bool:
        """End a message as an operator decided who resumed its topic."""
        if action is ResumeAction.SKIP:
            _LOGGER.warning("skipped by an operator after %s", cause.error)
            return True
        return await self._dead_letter(message, message.failure or Failure(PermanentError(cause.error), cause.attempts))

    def halt(self, message: InFlightMessage, failure: Failure) -> bool:
        """Halt the topic over the message."""
        message.failure = failure
        self._hand.block(message)
        error = self._redact(str(failure))[:_MAX_ERROR]
        self._halt_coordinator.halt(
            message.delivery.topic, cause=FailedMessage(*message.delivery.position, error, failure.attempts)
        )
        return False

    async def _dead_letter(self, message: InFlightMessage, failure: Failure) -> bool:
        message.waits_for, message.is_being_dead_lettered = "its dead letter to be written", True
        try:
            await self._dead_letters.publish(message.delivery, failure)
        except Exception:
            _LOGGER.exception("the dead letter could not be written, so the topic is halted")
            return self.halt(message, failure)
        finally:
            message.is_being_dead_lettered = False
        return True
