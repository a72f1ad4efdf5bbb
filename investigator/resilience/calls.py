# SPDX-License-Identifier: GPL-3.0-or-later
"""Blocking calls of one dependency, off the event loop: quick retries, a breaker, and the errors of handlers."""

import asyncio
import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from investigator.delivery.current_message import current_context
from investigator.delivery.errors import PermanentError, TemporaryError, UnavailableError
from investigator.resilience.breaker_group import BreakerGroup
from investigator.resilience.thread_pool import DaemonThreadPool

T = TypeVar("T")

ErrorMapping = Callable[[Exception], Exception]


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


class Calls:
    """Makes blocking calls to one dependency; each must be safe to repeat.

    ``breakers`` hold calls back during an outage.
    ``mapping`` maps an exception of a call to a PermanentError or TemporaryError, and returns an unknown one unchanged.
    """

    def __init__(self, breakers: BreakerGroup, policy: CallPolicy, mapping: ErrorMapping) -> None:
        self._breakers = breakers
        self._policy = policy
        self._mapping = mapping
        self._threads = DaemonThreadPool(policy.threads, breakers.name)

    async def run(self, function: Callable[[], T], *, operation: str) -> T:
        """Call ``function`` in a thread until it succeeds or the policy allows no more attempts.

        During an outage the call waits until the dependency is available again.

        Args:
            function: makes the call.
            operation: what the call is about, a short stable text that continues "fails to": an outage of one
                operation does not hold back the others.

        Raises:
            PermanentError: no attempt can succeed.
            TemporaryError: no attempt has succeeded.
        """
        message = current_context()
        loop = asyncio.get_running_loop()
        deadline = loop.time() + self._policy.retry_budget
        failures = 0
        while True:
            try:
                return await self._breakers.call(
                    lambda: self._attempt(function),
                    operation=operation,
                    message_key=message.message_key,
                    while_waiting=message.while_waiting,
                )
            except TemporaryError as error:
                failures += 1
                pause = max(self._backoff(failures), error.delay or 0.0)
                if failures >= self._policy.max_attempts or loop.time() + pause > deadline:
                    raise
            await asyncio.sleep(pause)

    def close(self) -> None:
        """End the threads after the calls that they have begun."""
        self._threads.close()

    async def _attempt(self, function: Callable[[], T]) -> T:
        try:
            return await self._threads.run(function, timeout=self._policy.timeout)
        except (PermanentError, TemporaryError):
            raise
        except TimeoutError as error:
            raise UnavailableError(str(error)) from error
        except Exception as error:
            mapped = self._mapping(error)
            if mapped is error:
                raise
            raise mapped from error

    def _backoff(self, failures: int) -> float:
        return self._policy.backoff(failures, random.random())  # noqa: S311 - spreads load, guards nothing
