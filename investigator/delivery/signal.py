# SPDX-License-Identifier: GPL-3.0-or-later
"""A signal: wakes everybody who waits for something to change; who waits looks for himself what it was."""

import asyncio
from collections.abc import Callable


class Signal:
    """Wakes its waiters in the order in which they began to wait, those with the lower rank first."""

    def __init__(self) -> None:
        self._waiters: dict[asyncio.Future[None], int] = {}

    def notify(self) -> None:
        """Wake everybody."""
        for waiter in sorted(self._waiters, key=self._waiters.__getitem__):
            if not waiter.done():
                waiter.set_result(None)

    async def until(self, holds: Callable[[], bool], *, rank: int = 0) -> None:
        """Wait until the condition holds; it is looked at now and at every notification."""
        while not holds():
            waiter = asyncio.get_running_loop().create_future()
            self._waiters[waiter] = rank
            try:
                await waiter
            finally:
                del self._waiters[waiter]
