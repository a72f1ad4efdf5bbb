# SPDX-License-Identifier: GPL-3.0-or-later
"""The attempts of one message: its steps run on its behalf, and it waits without its slot between two attempts.

An operator may decide about a message that is being tried again, to skip or to dead-letter it. That ends the attempts
as soon as the message only waits; a breaker may stay open for hours. The attempts run in a task of their own, so that
their end is no cancellation of the message.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from functools import partial

from investigator.delivery.current_message import WhileWaiting, bind_message
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
        is_decided: returns whether an operator decided what to do with a message instead of processing it.
    """

    def __init__(
        self,
        policy: RetryPolicy,
        observer: Observer,
        hold_back: Callable[[InFlightMessage, str], AbstractAsyncContextManager[object]],
        before_pause: Callable[[InFlightMessage], None],
        is_decided: Callable[[InFlightMessage], bool],
    ) -> None:
        self._policy = policy
        self._observer = observer
        self._hold_back = hold_back
        self._before_pause = before_pause
        self._is_decided = is_decided

    async def run(self, message: InFlightMessage) -> bool:
        """Run the steps that are left, and store in the message how they failed; return False if a decision ended them.

        Raises:
            CancelledError: the message was cancelled, or is not to wait for its next attempt.
        """
        message.attempts = attempts = asyncio.get_running_loop().create_task(self._run(message))
        try:
            await asyncio.wait({attempts})
        except asyncio.CancelledError:
            attempts.cancel()
            await asyncio.wait({attempts})
            raise
        finally:
            message.attempts = None
        if attempts.cancelled() and self._is_decided(message):
            return False
        message.failure = attempts.result()
        return True

    def end_if_decided(self, message: InFlightMessage) -> None:
        """End the attempts if an operator has decided about the message, and it only waits."""
        only_waits = not message.slot.held and not message.calls
        if message.attempts is not None and only_waits and self._is_decided(message):
            message.attempts.cancel()

    async def _run(self, message: InFlightMessage) -> Failure | None:
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
            partial(self._wait, message, message.waiting_for),
            while_held_back=partial(self._wait, message, partial(self._hold_back, message)),
            while_calling=partial(self._call, message),
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
        async with self._wait(message, message.waiting_for, "its next attempt"):
            await asyncio.sleep(seconds)

    @asynccontextmanager
    async def _wait(self, message: InFlightMessage, while_waiting: WhileWaiting, what: str) -> AsyncIterator[None]:
        async with while_waiting(what):
            self.end_if_decided(message)
            yield

    @contextmanager
    def _call(self, message: InFlightMessage) -> Iterator[None]:
        message.calls += 1
        try:
            yield
        finally:
            message.calls -= 1
            self.end_if_decided(message)
