# SPDX-License-Identifier: GPL-3.0-or-later
"""Blocking steps beside the event loop that a cancellation never leaves half done."""

import asyncio
from collections.abc import Callable
from typing import TypeVar

__all__ = ["all_to_their_end", "to_its_end"]

T = TypeVar("T")


async def to_its_end(step: Callable[[], T]) -> T:
    """Run a step in a thread; where the caller is cancelled meanwhile, the step ends before the cancellation goes on.

    So whatever a step starts is known to whoever has to stop it.
    """
    running = asyncio.ensure_future(asyncio.to_thread(step))
    try:
        return await asyncio.shield(running)
    except asyncio.CancelledError:
        # How it ended matters to nobody any more; not to look would be taken for an oversight, and told at the end.
        await asyncio.gather(running, return_exceptions=True)
        raise


async def all_to_their_end(*steps: Callable[[], object]) -> None:
    """Run steps side by side, each to its end, and raise the first of their errors if there is one."""
    results = await asyncio.gather(*(to_its_end(step) for step in steps), return_exceptions=True)
    for result in results:
        if isinstance(result, BaseException):
            raise result
