# SPDX-License-Identifier: GPL-3.0-or-later
"""The engine: attempts, pauses between them, and the outcome. The only place that catches a handler's exceptions."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from investigator.delivery.policy import RetryPolicy

Step = Callable[[], Awaitable[None]]


@dataclass(frozen=True)
class Failure:
    """Why a message was given up, and after how many attempts."""

    error: Exception
    attempts: int

    def __str__(self) -> str:
        """Return what happened, as in the last line of a traceback."""
        return f"{type(self.error).__name__}: {safe_str(self.error)}"


def safe_str(error: BaseException) -> str:
    """Give what an error says of itself; some fail even at that."""
    try:
        return str(error)
    except Exception:  # noqa: BLE001  it is the error's own code, which may do anything
        return "(what it says can't be shown)"


async def attempt(
    steps: list[Step],
    policy: RetryPolicy,
    *,
    sleep: Callable[[float], Awaitable[None]],
    on_failed_attempt: Callable[[Exception, int], None],
) -> Failure | None:
    """Run the steps in order, each until it succeeds once.

    Args:
        steps: what is to be done for the message. A step that succeeds is taken off the list, so that no later attempt
            runs it again, be it one of this call or of another one with the same list.
        policy: how often and how fast to retry.
        sleep: waits for so many seconds.
        on_failed_attempt: told of every failed attempt: the error, and the number of attempts that have failed.

    Returns:
        None when all steps succeeded, else why the message is given up.
    """
    failed = 0
    while steps:
        error = await _failure_of(steps[0])
        if error is None:
            del steps[0]
            continue
        failed += 1
        on_failed_attempt(error, failed)
        if not policy.allows_retry(failed, error):
            return Failure(error, failed)
        await sleep(policy.pause(failed, error))
    return None


async def _failure_of(step: Step) -> Exception | None:
    try:
        await step()
    except asyncio.CancelledError as error:
        if _is_to_end():
            raise
        stray = RuntimeError("something that the handler waited for was cancelled")
        stray.__cause__ = error
        return stray
    except Exception as error:  # noqa: BLE001  whatever a handler raises is the message's failure, never the loop's
        return error
    return None


def _is_to_end() -> bool:
    """Tell whether it is this task that was cancelled; without means to tell, as in Python 3.10, say so."""
    cancelling = getattr(asyncio.current_task(), "cancelling", None)
    return cancelling is None or cancelling() > 0
