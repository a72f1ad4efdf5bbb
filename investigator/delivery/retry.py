# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs the steps of a message with retries. The only module that catches the exceptions of handlers."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from investigator.delivery.policy import RetryPolicy

Step = Callable[[], Awaitable[None]]


@dataclass(frozen=True)
class Failure:
    """The last error of a message that failed, and its number of attempts."""

    error: Exception
    attempts: int

    def __str__(self) -> str:
        """Return the error as in the last line of a traceback."""
        return f"{type(self.error).__name__}: {safe_str(self.error)}"


def safe_str(error: BaseException) -> str:
    """Return the text of an error, or a placeholder if the error's own code fails at that."""
    try:
        return str(error)
    except Exception:  # noqa: BLE001  it is the error's own code, which may do anything
        return "(the error has no readable text)"


async def run_with_retries(
    steps: list[Step],
    policy: RetryPolicy,
    *,
    sleep: Callable[[float], Awaitable[None]],
    on_failed_attempt: Callable[[Exception, int], None],
    made_progress: Callable[[], bool] = lambda: False,
) -> Failure | None:
    """Run the steps in order, each until it succeeds once.

    Only failures without progress count: a message with much work may meet many short failures until it is done.

    Args:
        steps: the steps of the message. A step that succeeds is removed from the list, so that no later attempt runs
            it again, in this call or in another one with the same list.
        policy: how often and how fast to retry.
        sleep: waits for a number of seconds.
        on_failed_attempt: called at every failed attempt: the error, and the number of attempts that have failed.
        made_progress: returns whether the message has achieved something since the last call that no later attempt
            repeats.

    Returns:
        None when all steps succeeded, else the failure of the message.
    """
    failed = 0
    while steps:
        error = await _failure_of(steps[0])
        if error is None:
            del steps[0]
            failed = 0
            continue
        failed = 1 if made_progress() else failed + 1
        on_failed_attempt(error, failed)
        if not policy.allows_retry(failed, error):
            return Failure(error, failed)
        await sleep(policy.pause(failed, error))
    return None


async def _failure_of(step: Step) -> Exception | None:
    try:
        await step()
    except asyncio.CancelledError as error:
        if _is_being_cancelled():
            raise
        stray = RuntimeError("something that the handler awaited was cancelled")
        stray.__cause__ = error
        return stray
    except Exception as error:  # noqa: BLE001  whatever a handler raises is the message's failure, never the loop's
        return error
    return None


def _is_being_cancelled() -> bool:
    """Return whether the current task itself was cancelled; True where Python cannot know, as 3.10."""
    cancelling = getattr(asyncio.current_task(), "cancelling", None)
    return cancelling is None or cancelling() > 0
