# SPDX-License-Identifier: GPL-3.0-or-later
"""Slots: how many messages are worked on at once. A message that only waits gives its slot to another one."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from types import TracebackType

from typing_extensions import Self


class Slots:
    """So many slots are shared by all topics of a worker; they are given out in the order of asking."""

    def __init__(self, number: int) -> None:
        self._free = asyncio.Semaphore(number)

    def slot(self) -> "Slot":
        """Make a slot for one message; it is taken with `async with`."""
        return Slot(self._free)


class Slot:
    """One message's place among those that are worked on."""

    def __init__(self, free: asyncio.Semaphore) -> None:
        self._free = free
        self._held = False
        self._waiting = 0

    @property
    def held(self) -> bool:
        """Whether the message is worked on right now."""
        return self._held

    async def __aenter__(self) -> Self:
        """Wait for a free slot and take it."""
        await self._acquire()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Give the slot back."""
        self._release()

    @asynccontextmanager
    async def released(self) -> AsyncIterator[None]:
        """Let another message have the slot for as long as this one waits for something.

        The branches of a handler may wait side by side: the slot is taken again when the last of them goes on.
        """
        self._waiting += 1
        self._release()
        try:
            yield
        finally:
            self._waiting -= 1
            if not self._waiting:
                await self._acquire()

    async def sleep(self, seconds: float) -> None:
        """Wait for so many seconds without holding the slot."""
        async with self.released():
            await asyncio.sleep(seconds)

    async def _acquire(self) -> None:
        await self._free.acquire()
        self._held = True

    def _release(self) -> None:
        # A message that was cancelled while it waited to get its slot back holds none.
        if self._held:
            self._held = False
            self._free.release()
