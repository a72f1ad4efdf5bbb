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
        self._taking = asyncio.Lock()
        self._entered = False
        self._held = False
        self._waiting = 0

    @property
    def held(self) -> bool:
        """Whether the message is worked on right now."""
        return self._held

    async def __aenter__(self) -> Self:
        """Wait for a free slot and take it."""
        self._entered = True
        try:
            await self._take()
        except asyncio.CancelledError:
            self._entered = False
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Give the slot back."""
        self._entered = False
        self._give_back()

    @asynccontextmanager
    async def released(self) -> AsyncIterator[None]:
        """Let another message have the slot for as long as this one waits for something.

        The branches of a handler may wait side by side: the slot is taken again when the last of them goes on. Who is
        cancelled goes on at once, since all that is left to do is to end.
        """
        self._waiting += 1
        self._give_back()
        try:
            yield
        except asyncio.CancelledError:
            self._waiting -= 1
            raise
        except BaseException:
            await self._go_on()
            raise
        await self._go_on()

    async def sleep(self, seconds: float) -> None:
        """Wait for so many seconds without holding the slot."""
        async with self.released():
            await asyncio.sleep(seconds)

    async def _go_on(self) -> None:
        self._waiting -= 1
        if not self._waiting:
            await self._take()

    async def _take(self) -> None:
        # One branch may begin and end another wait while an earlier one gets the slot back: it is taken once.
        async with self._taking:
            if self._entered and not self._held:
                await self._free.acquire()
                self._held = True
        # A branch that was left behind may get it back after the message gave it up.
        if not self._entered:
            self._give_back()

    def _give_back(self) -> None:
        if self._held:
            self._held = False
            self._free.release()
