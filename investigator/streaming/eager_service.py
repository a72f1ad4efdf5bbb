# SPDX-License-Identifier: GPL-3.0-or-later
"""A service that runs the awaited coroutine eagerly and creates tasks only if it actually suspends."""

import asyncio
from typing import cast

from asynkit import CoroStart
from mode import Seconds, Service
from mode.services import WaitArgT, WaitResults


class EagerWaitMixin(Service):
    """A mixin for another service.

    Faust's consumer passes each message to its stream by `wait_first`, so that a rebalance or a stop can interrupt it.
    Faust creates four tasks for that, though the stream nearly always has room and the coroutine does not suspend.
    """

    async def wait_first(self, *awaited: WaitArgT, timeout: Seconds | None = None) -> WaitResults:
        """Wait until the first of several ends; a coroutine that was started and loses is cancelled, as in mode."""
        first, *others = awaited
        wait_timeout = cast("Seconds", timeout)  # mode's annotation excludes None, though None is its default
        if not asyncio.iscoroutine(first):
            return await super().wait_first(*awaited, timeout=wait_timeout)
        start = CoroStart(first)
        if not start.done():
            return await super().wait_first(start.as_coroutine(), *others, timeout=wait_timeout)
        for other in others:
            if asyncio.iscoroutine(other):
                other.close()
        result = start.result()
        return WaitResults([], [], stopped=True) if self.should_stop else WaitResults([first], [result], stopped=False)
