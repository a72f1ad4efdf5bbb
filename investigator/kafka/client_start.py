# SPDX-License-Identifier: GPL-3.0-or-later
"""The start of a client, cancelled only at a point at which aiokafka leaves no connection open."""

import asyncio
from collections.abc import Coroutine
from typing import Any

# A broker answers a client's first requests in milliseconds.
_GRACE_SECONDS = 1.0


async def start_client(start: Coroutine[Any, Any, None]) -> None:
    """Await the start of a client; where the caller is cancelled, first let the start end, for at most one second.

    Between its first connection and the response to its first request, aiokafka does not close that connection when it
    is cancelled, and neither does a later `stop` of the client. The caller closes the client in any case.

    Args:
        start: the coroutine that starts the client.
    """
    task = asyncio.create_task(start)
    try:
        await asyncio.shield(task)
    finally:
        if not task.done():
            await _end(task)


async def _end(task: asyncio.Task[None]) -> None:
    try:
        await asyncio.wait({task}, timeout=_GRACE_SECONDS)
    finally:
        task.cancel()
    await asyncio.gather(task, return_exceptions=True)
