# SPDX-License-Identifier: GPL-3.0-or-later
"""A signal: wakes everybody who waits for something to change; who waits looks for himself what it was."""

import asyncio
from collections.abc import Callable


class Notifier:
    """Wakes its waiters in the order in which they began to wait."""

    def __init__(self) -> None:
        self._waiters: dict[asyncio.Future[None], None] = {}

    def notify(self) -> None:
        """Wake everybody."""
        for waiter in self._waiters:
            if not waiter.done():
                waiter.set_result(None)

    async def wait_for(self, holds: Callable[[], bool]) -> None:
        """Wait until the condition holds; it is looked at now and at every notification."""
        while not holds():
            waiter = asyncio.get_running_loop().create_future()
            self._waiters[waiter] = None
            try:
                await waiter
            finally:
                del self._waiters[waiter]
