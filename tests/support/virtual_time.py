# SPDX-License-Identifier: GPL-3.0-or-later
"""An event loop whose clock jumps to the next timer instead of waiting for it: hours take no time.

    @in_virtual_time
    async def test_it_waits_an_hour() -> None:
        await asyncio.sleep(3600)

A test that would wait forever fails at once with a DeadlockError. Real input and output works, but the clock does not
wait for it: use neither that nor threads in such tests.
"""

import asyncio
import functools
import selectors
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


class DeadlockError(RuntimeError):
    """Every task waits and no timer is set: no task could ever continue."""


class _JumpingSelector(selectors.DefaultSelector):
    """Polls for available input, then advances the clock by the time that it should have waited."""

    now = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = super().select(0)
        if not ready and timeout is None:
            raise DeadlockError("all tasks wait, and no timer is set")
        if not ready:
            self.now += max(timeout or 0.0, 0.0)
        return ready


class VirtualLoop(asyncio.SelectorEventLoop):
    """An event loop whose clock starts at zero and jumps."""

    def __init__(self) -> None:
        self._jumping = _JumpingSelector()
        super().__init__(self._jumping)

    def time(self) -> float:
        """Return the seconds of virtual time since the loop was made."""
        return self._jumping.now


def run_in_virtual_time(main: Coroutine[Any, Any, T]) -> T:
    """Run ``main`` to its end in its own loop, and cancel the tasks that it leaves running."""
    loop = VirtualLoop()
    try:
        return loop.run_until_complete(main)
    finally:
        _cancel_all(loop)
        loop.close()


def in_virtual_time(test: Callable[P, Coroutine[Any, Any, None]]) -> Callable[P, None]:
    """Turn a test that is a coroutine function into one that runs in virtual time."""

    @functools.wraps(test)
    def run(*args: P.args, **kwargs: P.kwargs) -> None:
        run_in_virtual_time(test(*args, **kwargs))

    return run


async def settle() -> None:
    """Let all tasks run until each of them waits for a timer or for another task; this takes no virtual time."""
    for _ in range(100):
        await asyncio.sleep(0)


async def finished_at(awaitable: Awaitable[object]) -> float:
    """Return the loop's time at which ``awaitable`` was done."""
    await awaitable
    return asyncio.get_running_loop().time()


def _cancel_all(loop: asyncio.AbstractEventLoop) -> None:
    tasks = asyncio.all_tasks(loop)
    for task in tasks:
        task.cancel()
    if tasks:
        loop.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))
