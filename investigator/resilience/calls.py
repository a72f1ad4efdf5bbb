# SPDX-License-Identifier: GPL-3.0-or-later
"""Calls of one dependency, off the event loop: quick retries, a breaker, and errors as handlers know them."""

import asyncio
import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from investigator.delivery.current_message import current_context
from investigator.delivery.errors import PermanentError, TemporaryError, UnavailableError
from investigator.resilience.breaker import Breaker
from investigator.resilience.thread_pool import DaemonThreadPool

T = TypeVar("T")

ErrorMapping = Callable[[Exception], Exception]


@dataclass(frozen=True, slots=True)
class CallPolicy:
    """How calls of one dependency are made; times in seconds."""

    threads: int  # as many calls at once; more than there are messages in hand would only idle
    retry_budget: (
        float  # no retry begins later than this after the first try: the timeout of one call is a good measure
    )
    max_attempts: int = 6  # half of all calls may fail, and 98 of 100 still succeed without an attempt of the engine
    initial_backoff: float = 0.05  # a lost connection is mended at once
    max_backoff: float = 2.0
    timeout: float = 60.0  # far beyond the timeouts of the calls themselves, which a dependency may get around

    def pause(self, failed: int, chance: float) -> float:
        """Give the pause after so many failed tries; ``chance``, 0 to 1, spreads calls that failed together."""
        whole: float = min(self.initial_backoff * 2 ** (failed - 1), self.max_backoff)
        return whole * (0.5 + chance / 2)


class Calls:
    """Makes calls that block, and can be repeated without harm, to one dependency.

    ``mapping`` turns what a call raised into a PermanentError or TemporaryError; what it does not know it gives back.
    """

    def __init__(self, breaker: Breaker, policy: CallPolicy, mapping: ErrorMapping) -> None:
        self.breaker = breaker
        self._policy = policy
        self._mapping = mapping
        self._threads = DaemonThreadPool(policy.threads, breaker.name)

    async def run(self, function: Callable[[], T]) -> T:
        """Call ``function`` in a thread until it succeeds, as often and as long as the policy allows.

        Raises:
            PermanentError: the call can never succeed.
            TemporaryError: it did not succeed within the policy; during an outage it waits for its end instead.
        """
        message = current_context()
        loop = asyncio.get_running_loop()
        latest = loop.time() + self._policy.retry_budget
        failed = 0
        while True:
            try:
                return await self.breaker.call(
                    lambda: self._try(function), message_key=message.message_key, while_waiting=message.while_waiting
                )
            except TemporaryError as error:
                failed += 1
                pause = max(self._pause(failed), error.delay or 0.0)
                if failed >= self._policy.max_attempts or loop.time() + pause > latest:
                    raise
            await asyncio.sleep(pause)

    def close(self) -> None:
        """Let the threads end."""
        self._threads.close()

    async def _try(self, function: Callable[[], T]) -> T:
        try:
            return await self._threads.run(function, longest=self._policy.timeout)
        except (PermanentError, TemporaryError):
            raise
        except TimeoutError as error:
            raise UnavailableError(str(error)) from error
        except Exception as error:
            mapped = self._mapping(error)
            if mapped is error:
                raise
            raise mapped from error

    def _pause(self, failed: int) -> float:
        return self._policy.pause(failed, random.random())  # noqa: S311 - spreads load, guards nothing
