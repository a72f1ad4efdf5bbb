# SPDX-License-Identifier: GPL-3.0-or-later
"""Retries for requests to a cluster of which a broker is unavailable, until the others take over its partitions."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from aiokafka.errors import KafkaError

T = TypeVar("T")

# A cluster notices that a broker is gone after broker.session.timeout.ms, 9 s by default, and sends clients to it until
# then. This must also end before the preflight check does, after 15 s.
_TIMEOUT_SECONDS = 12.0
_RETRY_SECONDS = 0.25


async def retry_while_retriable(send: Callable[[], Awaitable[T]]) -> T:
    """Return the result of requests, repeated after retriable errors for 12 s.

    Args:
        send: sends one or more requests; it may be called again after some of them have succeeded.

    Raises:
        KafkaError: the error is not retriable, or it is the last one in that time.
    """
    deadline = asyncio.get_running_loop().time() + _TIMEOUT_SECONDS
    while True:
        try:
            return await send()
        except KafkaError as error:
            if not error.retriable or asyncio.get_running_loop().time() >= deadline:
                raise
        await asyncio.sleep(_RETRY_SECONDS)
