# SPDX-License-Identifier: GPL-3.0-or-later
"""Blocking calls of one dependency, off the event loop: quick retries, breakers, and the errors of handlers."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial
from typing import TypeVar

from investigator.delivery.current_message import WhileWaiting, current_context
from investigator.delivery.errors import PermanentError, TemporaryError, UnavailableError
from investigator.resilience.breaker_group import BreakerGroup, PatienceExhaustedError
from investigator.resilience.quick_retries import CallPolicy, QuickRetries
from investigator.resilience.thread_pool import DaemonThreadPool

T = TypeVar("T")

ErrorMapping = Callable[[Exception], Exception]


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

        During an outage the call waits until what it needs is available again.

        Args:
            function: makes the call.
            operation: what the call is about, a short stable text such as "read the graph": an outage of one operation
                does not hold back the others.

        Raises:
            PermanentError: no attempt can succeed.
            TemporaryError: no attempt has succeeded, and the failure is not an outage of the dependency.
        """
        retries = QuickRetries(self._policy)
        call = partial(self._call, function, operation, retries)
        while True:
            try:
                return await call()
            except PatienceExhaustedError as exhausted:
                failure = exhausted.error
                break
            except TemporaryError as error:
                if (pause := retries.pause_after(error)) is None:
                    if not self._breakers.open(operation, error, retries.failing_since):
                        raise
                    continue  # the next call waits for the end of the outage
            await asyncio.sleep(pause)
        try:
            raise failure
        finally:
            del failure  # its traceback has this frame: without a cycle it is freed at once, with its connection

    def close(self) -> None:
        """End the threads after the calls that they have begun."""
        self._threads.close()

    async def _call(self, function: Callable[[], T], operation: str, retries: QuickRetries) -> T:
        message = current_context()
        return await self._breakers.call(
            partial(self._attempt, function),
            operation=operation,
            message_key=message.message_key,
            while_waiting=_restarting(retries, message.while_held_back),
        )

    async def _attempt(self, function: Callable[[], T]) -> T:
        try:
            with current_context().while_calling():
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


def _restarting(retries: QuickRetries, while_held_back: WhileWaiting) -> WhileWaiting:
    """Return a context that restarts the quick retries after the wait: neither the outage nor the wait uses them up."""

    @asynccontextmanager
    async def wait(what: str) -> AsyncIterator[None]:
        async with while_held_back(what):
            yield
        retries.restart()

    return wait
