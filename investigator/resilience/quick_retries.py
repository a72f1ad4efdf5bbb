# SPDX-License-Identifier: GPL-3.0-or-later
"""Quick retries of one call: how many are left, and the pauses before them."""

import asyncio
import random
from dataclasses import dataclass

from investigator.delivery.errors import TemporaryError


@dataclass(frozen=True, slots=True)
class CallPolicy:
    """How to make calls of one dependency; times in seconds.

    Attributes:
        threads: the number of concurrent calls; more threads than messages in flight would be idle.
        retry_budget: no retry begins later than this after the first attempt; the timeout of one call is a good value.
        max_attempts: if half of all calls fail, 98 of 100 still succeed without another attempt of the engine.
        initial_backoff: a lost connection can be replaced at once.
        max_backoff: the longest pause.
        timeout: far longer than the timeouts of the calls themselves, which a dependency may circumvent.
    """

    threads: int
    retry_budget: float
    max_attempts: int = 6
    initial_backoff: float = 0.05
    max_backoff: float = 2.0
    timeout: float = 60.0

    def backoff(self, failures: int, jitter: float) -> float:
        """Return the pause after ``failures`` attempts; ``jitter``, 0 to 1, spreads calls that failed together."""
        full: float = min(self.initial_backoff * 2 ** (failures - 1), self.max_backoff)
        return full * (0.5 + jitter / 2)


class QuickRetries:
    """The quick retries of one call, which begins now."""

    def __init__(self, policy: CallPolicy) -> None:
        #: The loop time of the call's first failure.
        self.failing_since = 0.0
        self._policy = policy
        self._has_failed = False
        self.restart()

    def restart(self) -> None:
        """Allow all retries again: the call has waited for the end of an outage."""
        self._failures = 0
        self._deadline = _now() + self._policy.retry_budget

    def pause_after(self, error: TemporaryError) -> float | None:
        """Return the seconds to wait after a failure; None if no retry is left."""
        if not self._has_failed:
            self._has_failed, self.failing_since = True, _now()
        self._failures += 1
        jitter = random.random()  # noqa: S311 - spreads load, guards nothing
        pause = max(self._policy.backoff(self._failures, jitter), error.delay or 0.0)
        is_last = self._failures >= self._policy.max_attempts or _now() + pause > self._deadline
        return None if is_last else pause


def _now() -> float:
    return asyncio.get_running_loop().time()
