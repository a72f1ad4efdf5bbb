# SPDX-License-Identifier: GPL-3.0-or-later
"""Blocking functions in threads beside the event loop: a cancellation waits until the function has returned."""

import asyncio
from collections.abc import Callable
from typing import TypeVar

__all__ = ["run_all_to_completion", "run_to_completion"]

T = TypeVar("T")


async def run_to_completion(function: Callable[[], T]) -> T:
    """Run a blocking function in a thread and return its result.

    If the caller is cancelled meanwhile, the cancellation takes effect after the function has returned. The caller's
    clean-up therefore sees everything that the function has started.
    """
    running = asyncio.ensure_future(asyncio.to_thread(function))
    try:
        return await asyncio.shield(running)
    except asyncio.CancelledError:
        # The result is of no use any more. It is retrieved because asyncio logs an exception that is never retrieved.
        await asyncio.gather(running, return_exceptions=True)
        raise


async def run_all_to_completion(*functions: Callable[[], object]) -> None:
    """Run blocking functions in parallel, wait until all have returned, then raise the first error if there is one."""
    runs = (run_to_completion(function) for function in functions)
    results = await asyncio.gather(*runs, return_exceptions=True)
    for result in results:
        if isinstance(result, BaseException):
            raise result
