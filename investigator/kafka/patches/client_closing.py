# SPDX-License-Identifier: GPL-3.0-or-later
"""Clients that leave no connection open, whenever they are stopped.

aiokafka leaves connections open in three cases, and its garbage collection then reports "Unclosed AIOKafkaConnection":

- A consumer closes its parts in turn, and awaits tasks that it has just cancelled. If one had not begun, or was in a
  pause after an error, that raises CancelledError out of `stop`, and the rest is never closed
  (https://github.com/aio-libs/aiokafka/issues/647).
- A connection that is being opened while its client closes is added to the closed client
  (https://github.com/aio-libs/aiokafka/issues/1019 may be of this kind).
- A start that is cancelled between its connection and the answer to its first request drops that connection
  (https://github.com/aio-libs/aiokafka/issues/715).

A host that does not answer at all held up connections to all others, one at a time, for `request_timeout_ms` each: the
client opens one connection at a time. So here a connection has 10 s, as in the clients of Apache Kafka (KIP-601).

Private names in use: `_get_conn` opens connections, and `_conns` holds them; the others are the parts of a consumer and
the tasks that `stop` has to end.
"""

import asyncio
from collections.abc import Awaitable
from contextvars import ContextVar
from functools import wraps
from typing import Any

from aiokafka import AIOKafkaConsumer, client
from aiokafka.client import AIOKafkaClient
from aiokafka.conn import AIOKafkaConnection, create_conn
from aiokafka.util import wait_for

CONNECT_SECONDS = 10.0

_get_conn, _close, _bootstrap = AIOKafkaClient._get_conn, AIOKafkaClient.close, AIOKafkaClient.bootstrap  # noqa: SLF001  no public name

_OPENED: ContextVar[list[AIOKafkaConnection] | None] = ContextVar("opened", default=None)


def close_all_connections() -> None:
    """Let the clients of this process close what they open."""
    client.create_conn = _create_conn
    AIOKafkaClient.bootstrap = _bootstrap_or_close
    AIOKafkaClient.close = _close_permanently
    AIOKafkaClient._get_conn = _get_conn_unless_closed  # noqa: SLF001  no public name
    AIOKafkaConsumer.stop = _stop_all_parts


async def _create_conn(*address: Any, **options: Any) -> AIOKafkaConnection:  # noqa: ANN401  aiokafka has no types
    connection = await wait_for(create_conn(*address, **options), CONNECT_SECONDS)
    if (opened := _OPENED.get()) is not None:
        opened.append(connection)
    return connection


@wraps(_bootstrap)
async def _bootstrap_or_close(self: Any) -> None:  # noqa: ANN401  same
    opened: list[AIOKafkaConnection] = []
    token = _OPENED.set(opened)
    try:
        await _bootstrap(self)
    except BaseException:
        for connection in opened:
            connection.close()
        raise
    finally:
        _OPENED.reset(token)


@wraps(_get_conn)
async def _get_conn_unless_closed(self: Any, *node: Any, **options: Any) -> AIOKafkaConnection | None:  # noqa: ANN401  same
    connection = await _get_conn(self, *node, **options)
    if connection is not None and getattr(self, "is_closed", False):
        await connection.close()
        return None
    return connection


@wraps(_close)
async def _close_permanently(self: Any) -> None:  # noqa: ANN401  same
    self.is_closed = True
    if self._sync_task is not None:
        self._sync_task.cancel()
        await _ended(self._sync_task)
        self._sync_task = None
    await _close(self)


@wraps(AIOKafkaConsumer.stop)
async def _stop_all_parts(self: Any) -> None:  # noqa: ANN401  same
    if self._closed:
        return
    self._closed = True
    try:
        if self._coordinator:
            await _ended(self._coordinator.close())
        if self._fetcher:
            await _close_fetcher(self._fetcher)
    finally:
        await self._client.close()


async def _close_fetcher(fetcher: Any) -> None:  # noqa: ANN401  same
    pending = list(fetcher._pending_tasks)  # noqa: SLF001  no public name
    await _ended(fetcher.close())
    for task in pending:
        task.cancel()
    await _ended(*pending)


async def _ended(*steps: Awaitable[object]) -> None:
    """Wait until all have ended, in whatever way; only the caller's own cancellation is raised."""
    await asyncio.gather(*steps, return_exceptions=True)
