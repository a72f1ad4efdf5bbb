# SPDX-License-Identifier: GPL-3.0-or-later
"""Waiting for what other processes and tasks do, by asking again and again."""

import asyncio
from collections.abc import Callable

from sandbox.processes import eventually

_INTERVAL_SECONDS = 0.05


def wait_until(check: Callable[[], object], what: str, timeout: float = 60.0) -> None:
    """Wait until the check returns something true.

    Args:
        check: the question; called every 50 ms.
        what: the awaited event, for the error text.
        timeout: seconds to wait at most.

    Raises:
        AssertionError: the check was still false at the timeout; the text names the awaited event.
    """
    assert eventually(check, timeout, _INTERVAL_SECONDS), f"not within {timeout:g} s: {what}"


async def until(check: Callable[[], object], timeout: float = 10.0) -> None:
    """Let the other tasks of the loop run until the check returns something true.

    Args:
        check: the question; called every 10 ms.
        timeout: seconds to wait at most.

    Raises:
        TimeoutError: the check was still false at the timeout.
    """

    async def wait() -> None:
        while not check():  # noqa: ASYNC110  the check has no event
            await asyncio.sleep(0.01)

    await asyncio.wait_for(wait(), timeout)
