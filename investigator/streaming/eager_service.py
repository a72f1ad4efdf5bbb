# SPDX-License-Identifier: GPL-3.0-or-later
"""Waits of a service that begin at once what they wait for, and end there if it needs no waiting."""

import asyncio
from typing import cast

from asynkit import CoroStart
from mode import Seconds, Service
from mode.services import WaitArgT, WaitResults


class EagerWaitMixin(Service):
    """A service to mix into another one.

    Faust's consumer hands each message to its stream by `wait_first`, so that a rebalance or the end can break in. It
    makes four tasks of that, though the stream nearly always has room and there is nothing to wait for.
    """

    async def wait_first(self, *awaited: WaitArgT, timeout: Seconds | None = None) -> WaitResults:
        """Wait for the first of several to end; what is left of a first one that is under way goes on as a task."""
        first, *others = awaited
        longest = cast("Seconds", timeout)  # which mode declares so, though its default is None
        if not asyncio.iscoroutine(first):
            return await super().wait_first(*awaited, timeout=longest)
        start = CoroStart(first)
        if not start.done():
            return await super().wait_first(start.as_coroutine(), *others, timeout=longest)
        for other in others:
            if asyncio.iscoroutine(other):
                other.close()
        result = start.result()
        return WaitResults([], [], stopped=True) if self.should_stop else WaitResults([first], [result], stopped=False)
