# SPDX-License-Identifier: GPL-3.0-or-later
"""What becomes of a message that was given up: it is kept as a dead letter, skipped, or halts its topic."""

import logging
from collections.abc import Callable

from investigator.delivery.errors import PermanentError
from investigator.delivery.halt_coordinator import Board
from investigator.delivery.halts import Cause, Verb
from investigator.delivery.in_flight import Hand
from investigator.delivery.messages import InHand
from investigator.delivery.ports import DeadLetters, Observer
from investigator.delivery.retry import Failure

_LOGGER = logging.getLogger(__name__)

# What a halt says of an error is read on a page, and held by every worker.
_MAX_ERROR = 1000


class Endings:
    """Ends messages, and tells of each whether it is done with.

    Args:
        board: halts topics.
        dead_letters: keeps messages.
        observer: is told of what was given up.
        hand: the messages in hand.
        redact: removes passwords from a text.
    """

    def __init__(
        self, board: Board, dead_letters: DeadLetters, observer: Observer, hand: Hand, redact: Callable[[str], str]
    ) -> None:
        self._board = board
        self._dead_letters = dead_letters
        self._observer = observer
        self._hand = hand
        self._redact = redact

    async def given_up(self, message: InHand, failure: Failure) -> bool:
        """End a message that has no attempt left, as the policy of its topic says."""
        self._observer.gave_up(message.delivery, failure)
        if self._dead_letters.wants(message.delivery):
            return await self._kept(message, failure)
        return self.halted(message, failure)

    async def decided(self, message: InHand, verb: Verb, cause: Cause) -> bool:
        """End a message as an operator decided who resumed its topic."""
        if verb is Verb.SKIP:
            _LOGGER.warning("skipped by an operator after %s", cause.error)
            return True
        return await self._kept(message, message.failure or Failure(PermanentError(cause.error), cause.attempts))

    def halted(self, message: InHand, failure: Failure) -> bool:
        """Halt the topic over the message."""
        message.failure = failure
        self._hand.park(message)
        error = self._redact(str(failure))[:_MAX_ERROR]
        self._board.halt(message.delivery.topic, cause=Cause(*message.delivery.place, error, failure.attempts))
        return False

    async def _kept(self, message: InHand, failure: Failure) -> bool:
        message.waits_for, message.is_being_kept = "its dead letter to be written", True
        try:
            await self._dead_letters.keep(message.delivery, failure)
        except Exception:
            _LOGGER.exception("the dead letter could not be written, so the topic is halted")
            return self.halted(message, failure)
        finally:
            message.is_being_kept = False
        return True
