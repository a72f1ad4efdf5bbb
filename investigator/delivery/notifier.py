# SPDX-License-Identifier: GPL-3.0-or-later
"""A notifier: it wakes all waiters when something changes, and each waiter checks its own condition."""

import asyncio
from collections.abc import Callable


class Notifier:
    """Wakes its waiters in the order in which they began to wait."""

    def __init__(self) -> None:
        self._waiters: dict[asyncio.Future[None], None] = {}

    def notify(self) -> None:
        """Wake all waiters."""
        for waiter in self._waiters:
            if not waiter.done():
                waiter.set_result(None)

    async def wait_for(self, condition: Callable[[], bool]) -> None:
        """Wait until the condition is true; check it now and at every notification."""
        while not condition():
            waiter = asyncio.get_running_loop().create_future()
            self._waiters[waiter] = None
            try:
                await waiter
            finally:
                del self._waiters[waiter]
