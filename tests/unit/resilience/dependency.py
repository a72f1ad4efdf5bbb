# SPDX-License-Identifier: GPL-3.0-or-later
"""Something that calls are made to, through a breaker."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

from investigator.delivery.errors import UnavailableError
from investigator.resilience.breaker import Breaker


@dataclass
class Dependency:
    """Something that calls are made to; ``trouble`` says what it answers, None for success."""

    trouble: Callable[[object], Exception | None] = lambda _: None
    calls: list[tuple[float, object]] = field(default_factory=list)

    async def answer(self, message_key: object) -> str:
        """Take one call and answer it after a hundredth of a second."""
        self.calls.append((asyncio.get_running_loop().time(), message_key))
        await asyncio.sleep(0.01)
        if error := self.trouble(message_key):
            raise error
        return f"hello {message_key}"

    def down(self, _: object) -> Exception:
        """Be the trouble of a dependency that is away."""
        return UnavailableError("connection refused")

    def times(self) -> list[float]:
        """Tell when the calls came."""
        return [round(time, 1) for time, _ in self.calls]


def ask(breaker: Breaker, dependency: Dependency, message_key: object) -> "asyncio.Task[str]":
    """Start a call for the message ``message_key``."""
    return asyncio.create_task(breaker.call(lambda: dependency.answer(message_key), message_key=message_key))


async def opened(dependency: Dependency) -> tuple[Breaker, "asyncio.Task[str]"]:
    """Give a breaker that ten calls have just opened, and the one of these that waits behind it."""
    breaker = Breaker("cluster")
    dependency.trouble = dependency.down
    calls = [ask(breaker, dependency, number) for number in range(10)]
    failed, (waiting,) = await asyncio.wait(calls, timeout=0.02)
    assert breaker.view.is_open
    assert all(isinstance(call.exception(), UnavailableError) for call in failed)
    return breaker, waiting
