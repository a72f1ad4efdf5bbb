# SPDX-License-Identifier: GPL-3.0-or-later
"""Clients that ask the bootstrap servers again when no broker that they know answers, as KIP-899 describes.

aiokafka asks the bootstrap servers at its start only. When all brokers got other addresses behind the same bootstrap
address, it asked the former addresses for ever: https://github.com/aio-libs/aiokafka/issues/456, and
https://github.com/aio-libs/aiokafka/issues/459, which is open.

Private names in use: `_metadata_update` asks each known broker in turn. The others are options with which a client
connects.

The patch also counts the answers of brokers, for the watchdog, in `answers` of each client.
"""

import asyncio
import logging
from functools import wraps
from typing import Any

from aiokafka import client
from aiokafka.client import AIOKafkaClient
from aiokafka.conn import AIOKafkaConnection
from aiokafka.errors import KafkaError
from aiokafka.protocol.metadata import MetadataRequest

_LOGGER = logging.getLogger(__name__)

_metadata_update, _send = AIOKafkaClient._metadata_update, AIOKafkaClient.send  # noqa: SLF001  no public name

#: The attributes of a client that are options of a connection, with an underscore in front.
_OPTIONS = (
    "client_id",
    "request_timeout_ms",
    "ssl_context",
    "security_protocol",
    "sasl_mechanism",
    "sasl_plain_username",
    "sasl_plain_password",
)


def bootstrap_again() -> None:
    """Let the clients of this process find brokers that have moved."""
    AIOKafkaClient._metadata_update = _update_from_any  # noqa: SLF001  no public name
    AIOKafkaClient.send = _send_and_count


@wraps(_send)
async def _send_and_count(self: Any, *request: Any, **options: Any) -> Any:  # noqa: ANN401  aiokafka has no types
    answer = await _send(self, *request, **options)
    self.answers = getattr(self, "answers", 0) + 1
    return answer


@wraps(_metadata_update)
async def _update_from_any(self: Any, cluster: Any, topics: Any) -> bool:  # noqa: ANN401  same
    if await _metadata_update(self, cluster, topics):
        return True
    for host, port, _ in self.hosts:
        if await _update_from(self, host, port, cluster, topics):
            _LOGGER.warning("No known broker answered; found the brokers again by bootstrap=%s:%s", host, port)
            return True
    return False


async def _update_from(self: Any, host: str, port: int, cluster: Any, topics: Any) -> bool:  # noqa: ANN401  same
    try:
        connection = await client.create_conn(host, port, **{name: getattr(self, f"_{name}") for name in _OPTIONS})
    except (OSError, KafkaError, asyncio.TimeoutError) as error:
        _LOGGER.debug("Bootstrap server did not answer bootstrap=%s:%s error=%r", host, port, error)
        return False
    try:
        return await _update(connection, cluster, topics)
    finally:
        connection.close()


async def _update(connection: AIOKafkaConnection, cluster: Any, topics: Any) -> bool:  # noqa: ANN401  same
    try:
        metadata = await connection.send(MetadataRequest(list(topics) if topics else None))
    except (KafkaError, asyncio.TimeoutError):
        return False
    if metadata.brokers:
        cluster.update_metadata(metadata)
    return bool(metadata.brokers)
