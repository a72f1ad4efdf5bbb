# SPDX-License-Identifier: GPL-3.0-or-later
"""The attempts of one message: its steps run on its behalf, and it waits without its slot between two attempts."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from functools import partial

from investigator.delivery.current_message import bind_message
from investigator.delivery.messages import InFlightMessage
from investigator.delivery.policy import RetryPolicy
from investigator.delivery.ports import Observer
from investigator.delivery.retry import Failure, run_with_retries


class Attempts:
    """Runs the attempts of messages that hold a slot.

    Args:
        policy: how often and how fast to retry.
        observer: records what happens to messages.
        hold_back: entered with a message and a text while what the message needs is unavailable.
        before_pause: called before a message waits for its next attempt; may raise CancelledError.
    """

    def __init__(
        self,
        policy: RetryPolicy,
        observer: Observer,
        hold_back: Callable[[InFlightMessage, str], AbstractAsyncContextManager[object]],
        before_pause: Callable[[InFlightMessage], None],
    ) -> None:
        self._policy = policy
        self._observer = observer
        self._hold_back = hold_back
        self._before_pause = before_pause

    async def run(self, message: InFlightMessage) -> Failure | None:
        """Run the steps that are left; return None when all have succeeded, else the failure of the message."""
        message.waits_for = ""
        self._observer.started(message.delivery)
        succeeded = False
        try:
            failure = await self._run_steps(message)
            succeeded = failure is None
            return failure
        finally:
            self._observer.stopped(message.delivery, succeeded=succeeded)

    async def _run_steps(self, message: InFlightMessage) -> Failure | None:
        if message.steps is None:
            message.steps = list(message.delivery.make_steps())
        with bind_message(
            message.delivery.origin,
            message.waiting_for,
            while_held_back=partial(self._hold_back, message),
            report_progress=message.report_progress,
        ):
            return await run_with_retries(
                message.steps,
                self._policy,
                sleep=partial(self._pause, message),
                on_failed_attempt=partial(self._on_failed_attempt, message),
                made_progress=message.take_progress,
            )

    def _on_failed_attempt(self, message: InFlightMessage, error: Exception, attempts: int) -> None:
        message.last_failure = Failure(error, attempts)
        self._observer.failed_attempt(message.delivery, error, attempts)

    async def _pause(self, message: InFlightMessage, seconds: float) -> None:
        self._before_pause(message)
        message.waits_for = "its next attempt"
        await message.slot.sleep(seconds)
        message.waits_for = ""
