# SPDX-License-Identifier: GPL-3.0-or-later
"""The engine: attempts, pauses between them, and the outcome. The only place that catches a handler's exceptions."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from investigator.delivery.errors import PermanentError, TemporaryError

Step = Callable[[], Awaitable[None]]


@dataclass(frozen=True)
class RetryPolicy:
    """How often a message is tried, and how long to wait in between.

    Args:
        attempts: attempts in all.
        backoff: before attempt i + 1 (i >= 1) the engine waits i * backoff seconds.
    """

    attempts: int = 5
    backoff: float = 0.5

    def pause(self, failed: int, error: Exception) -> float:
        """Give the seconds to wait after so many failed attempts; never less than what the other side asked for."""
        asked = error.delay if isinstance(error, TemporaryError) else None
        return max(failed * self.backoff, asked or 0.0)

    def allows_retry(self, failed: int, error: Exception) -> bool:
        """Tell whether another attempt may help."""
        return not isinstance(error, PermanentError) and failed < self.attempts


@dataclass(frozen=True)
class Failure:
    """Why a message was given up, and after how many attempts."""

    error: Exception
    attempts: int


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
        try:
            await steps[0]()
        except Exception as error:  # noqa: BLE001  whatever a handler raises is the message's failure, never the loop's
            failed += 1
            on_failed_attempt(error, failed)
            if not policy.allows_retry(failed, error):
                return Failure(error, failed)
            await sleep(policy.pause(failed, error))
        else:
            del steps[0]
    return None
