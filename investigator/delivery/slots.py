# SPDX-License-Identifier: GPL-3.0-or-later
"""Slots bound how many messages are processed at once; a message that only waits lends its slot to another one."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from types import TracebackType

from typing_extensions import Self


class Slots:
    """The slots that all topics of a worker share; messages get them in the order in which they ask."""

    def __init__(self, number: int) -> None:
        self._free = asyncio.Semaphore(number)

    def slot(self) -> "Slot":
        """Return a slot for one message; `async with` acquires it."""
        return Slot(self._free)


class Slot:
    """The slot of one message, held while the message is processed."""

    def __init__(self, free: asyncio.Semaphore) -> None:
        self._free = free
        self._acquiring = asyncio.Lock()
        self._entered = False
        self._held = False
        self._waits = 0

    @property
    def held(self) -> bool:
        """Whether the message holds the slot now."""
        return self._held

    async def __aenter__(self) -> Self:
        """Wait for a free slot and acquire it."""
        self._entered = True
        try:
            await self._acquire()
        except asyncio.CancelledError:
            self._entered = False
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Release the slot."""
        self._entered = False
        self._release()

    @asynccontextmanager
    async def released(self) -> AsyncIterator[None]:
        """Release the slot for as long as the message waits for something.

        The branches of a handler may wait side by side: the last of them to continue acquires the slot again. A
        cancelled branch does not acquire it, because all that is left to do is to end.
        """
        self._waits += 1
        self._release()
        try:
            yield
        except asyncio.CancelledError:
            self._waits -= 1
            raise
        except BaseException:
            await self._end_wait()
            raise
        await self._end_wait()

    async def _end_wait(self) -> None:
        self._waits -= 1
        if not self._waits:
            await self._acquire()

    async def _acquire(self) -> None:
        # One branch may begin and end another wait while an earlier one acquires the slot: acquire it once.
        async with self._acquiring:
            if self._entered and not self._held:
                await self._free.acquire()
                self._held = True
        # A branch that outlives its handler may acquire the slot after the message has released it.
        if not self._entered:
            self._release()

    def _release(self) -> None:
        if self._held:
            self._held = False
            self._free.release()
