# SPDX-License-Identifier: GPL-3.0-or-later
"""Asking again while one of several brokers is away: the others answer as soon as they have noticed."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from aiokafka.errors import KafkaError

T = TypeVar("T")

# Brokers miss another one after 9 s, unless broker.session.timeout.ms says otherwise; those who ask are sent to it
# until then. The check before the start gives up after 15 s.
_PATIENCE_SECONDS = 12.0
_PAUSE_SECONDS = 0.25


async def retry_while_retriable(ask: Callable[[], Awaitable[T]]) -> T:
    """Ask, and again after each error that may pass, for a while; gives the answer.

    Args:
        ask: sends one request, or several; may be called after it has succeeded in part.

    Raises:
        KafkaError: what was asked is refused, or still failed in the end.
    """
    end = asyncio.get_running_loop().time() + _PATIENCE_SECONDS
    while True:
        try:
            return await ask()
        except KafkaError as error:
            if not error.retriable or asyncio.get_running_loop().time() >= end:
                raise
        await asyncio.sleep(_PAUSE_SECONDS)
