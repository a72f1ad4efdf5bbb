# SPDX-License-Identifier: GPL-3.0-or-later
"""A fake dependency, called through breakers."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

from investigator.delivery.errors import UnavailableError
from investigator.resilience.breaker_group import BreakerGroup


@dataclass
class Dependency:
    """A dependency that answers calls; ``error_for`` returns the error for a message, None for success."""

    error_for: Callable[[object], Exception | None] = lambda _: None
    calls: list[tuple[float, object]] = field(default_factory=list)

    async def answer(self, message_key: object) -> str:
        """Answer one call after 10 ms."""
        self.calls.append((asyncio.get_running_loop().time(), message_key))
        await asyncio.sleep(0.01)
        if error := self.error_for(message_key):
            raise error
        return f"hello {message_key}"

    def unavailable(self, _: object) -> Exception:
        """Return the error of an unavailable dependency; a value for `error_for`."""
        return UnavailableError("connection refused")

    def times(self) -> list[float]:
        """Return the loop times of the calls."""
        return [round(time, 1) for time, _ in self.calls]


def ask(
    breaker: BreakerGroup, dependency: Dependency, message_key: object, operation: str = "create"
) -> "asyncio.Task[str]":
    """Start a call for the message ``message_key``."""
    call = breaker.call(lambda: dependency.answer(message_key), operation=operation, message_key=message_key)
    return asyncio.create_task(call)


async def opened(dependency: Dependency) -> tuple[BreakerGroup, "asyncio.Task[str]"]:
    """Return breakers that ten calls have just opened, and the one of these that it holds back."""
    breaker = BreakerGroup("cluster")
    dependency.error_for = dependency.unavailable
    calls = [ask(breaker, dependency, number) for number in range(10)]
    failed, (waiting,) = await asyncio.wait(calls, timeout=0.02)
    assert breaker.view.is_open
    assert all(isinstance(call.exception(), UnavailableError) for call in failed)
    return breaker, waiting
