# SPDX-License-Identifier: GPL-3.0-or-later
"""Handles messages whose retries are exhausted: each becomes a dead letter, is skipped, or halts its topic."""

import asyncio
import logging
from collections.abc import Awaitable, Callable

from investigator.delivery.errors import PermanentError
from investigator.delivery.halt_coordinator import HaltCoordinator
from investigator.delivery.halts import FailedMessage, Outcome, ResumeAction
from investigator.delivery.in_flight import InFlightMessages
from investigator.delivery.messages import InFlightMessage
from investigator.delivery.ports import DeadLetters, Observer
from investigator.delivery.retry import Failure

_LOGGER = logging.getLogger(__name__)

# Every worker holds the error of a halt in memory, and pages show it.
_MAX_ERROR_CHARACTERS = 1000

# How often a halt that fails is tried again. Until then nothing but the log and the status page shows the failure.
_HALT_PAUSE_SECONDS = 10.0


class FailureHandler:
    """Handles failed messages; each method returns whether the message is finished.

    Args:
        halt_coordinator: halts topics.
        dead_letters: publishes dead letters.
        observer: records exhausted retries.
        in_flight: the messages in flight.
        redact: removes passwords from a text.
        is_owned: asks whether this worker still owns the partition of a message.
    """

    def __init__(  # noqa: PLR0913, PLR0917  everything that a failure concerns
        self,
        halt_coordinator: HaltCoordinator,
        dead_letters: DeadLetters,
        observer: Observer,
        in_flight: InFlightMessages,
        redact: Callable[[str], str],
        is_owned: Callable[[InFlightMessage], Awaitable[bool]],
    ) -> None:
        self._halt_coordinator = halt_coordinator
        self._dead_letters = dead_letters
        self._observer = observer
        self._in_flight = in_flight
        self._redact = redact
        self._is_owned = is_owned

    async def handle_exhausted(self, message: InFlightMessage, failure: Failure) -> bool:
        """Publish a message without attempts left as a dead letter, or halt its topic, as the topic's policy says.

        What an operator has decided during these attempts, by another resume, comes first.
        """
        self._observer.exhausted(message.delivery, failure)
        decision = self._halt_coordinator.decision_for(message.delivery.topic, message.delivery.position)
        if decision is not None:
            return await self.apply_decision(message, *decision)
        if self._dead_letters.accepts(message.delivery):
            return await self._dead_letter(message, failure)
        return await self.halt(message, failure)

    async def apply_decision(self, message: InFlightMessage, action: ResumeAction, cause: FailedMessage) -> bool:
        """Skip or dead-letter a message, as the operator decided when resuming its topic."""
        if action is ResumeAction.SKIP:
            _LOGGER.warning("Operator skipped the message error=%s", cause.error)
            self._record_outcome(message, Outcome.SKIPPED)
            return True
        return await self._dead_letter(message, message.failure or Failure(PermanentError(cause.error), cause.attempts))

    async def halt(self, message: InFlightMessage, failure: Failure) -> bool:
        """Halt the topic over the message; raise CancelledError if its partition has another owner."""
        message.failure = failure
        self._in_flight.block(message)
        await self._raise_unless_owned(message)
        error = self._redact(str(failure))[:_MAX_ERROR_CHARACTERS]
        self._halt_coordinator.halt(
            message.delivery.topic, cause=FailedMessage(*message.delivery.position, error, failure.attempts)
        )
        return False

    async def halt_over_internal_error(self, message: InFlightMessage, error: Exception) -> bool:
        """Halt the topic, with as many tries as it takes: without a halt, the message would be unfinished for ever.

        Meanwhile it blocks its topic on this worker.
        """
        while True:
            try:
                return await self.halt(message, Failure(error, attempts=0))
            except Exception:
                _LOGGER.exception("Could not halt topic; will retry pause_seconds=%g", _HALT_PAUSE_SECONDS)
            message.waits_for = "its topic to be halted"
            await asyncio.sleep(_HALT_PAUSE_SECONDS)

    async def _dead_letter(self, message: InFlightMessage, failure: Failure) -> bool:
        await self._raise_unless_owned(message)
        message.waits_for, message.is_being_dead_lettered = "its dead letter to be written", True
        try:
            await self._dead_letters.publish(message.delivery, failure)
        except Exception:
            _LOGGER.exception("Could not write the dead letter; halting topic")
            return await self.halt(message, failure)
        finally:
            message.is_being_dead_lettered = False
        self._record_outcome(message, Outcome.DEAD_LETTERED)
        return True

    def _record_outcome(self, message: InFlightMessage, outcome: Outcome) -> None:
        self._halt_coordinator.record_outcome(message.delivery.topic, message.delivery.position, outcome)

    async def _raise_unless_owned(self, message: InFlightMessage) -> None:
        message.waits_for = "the brokers to confirm that this worker owns its partition"
        if not await self._is_owned(message):
            raise asyncio.CancelledError("its partition has another owner, which handles the message")
