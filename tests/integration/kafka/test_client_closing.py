# SPDX-License-Identifier: GPL-3.0-or-later
import asyncio
from collections.abc import Awaitable, Callable
from contextlib import aclosing
from typing import Any

import pytest
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.client import AIOKafkaClient
from aiokafka.conn import AIOKafkaConnection
from aiokafka.errors import TopicAuthorizationFailedError
from aiokafka.protocol.metadata import MetadataRequest

from investigator.kafka.producer import DurableProducer
from investigator.kafka.topic_reader import OffsetRange, TopicReader
from investigator.kafka.topics import Topic, create_missing
from investigator.preflight.kafka_permissions import missing_permissions
from sandbox.broker import Broker

Options = dict[str, Any]


async def _list_topics(options: Options) -> None:
    await TopicReader(options).topics()


async def _create_topics(options: Options) -> None:
    await create_missing(options, [Topic("topic", 1, 1)])


async def _find_permissions(options: Options) -> None:
    await missing_permissions(options, group="group", read=["topic"], written=["topic"])


async def _read(options: Options) -> None:
    async with aclosing(TopicReader(options).read("topic", {0: OffsetRange()})) as records:
        await anext(records)


async def _write(options: Options) -> None:
    producer = DurableProducer(options, idempotent=False, max_message_bytes=1000)
    async with producer:
        await producer.write("topic", b"value")


@pytest.mark.parametrize("use", [_list_topics, _create_topics, _find_permissions, _read, _write])
async def test_a_client_that_is_cancelled_after_its_first_request_leaves_no_connection_open(
    broker: Broker, monkeypatch: pytest.MonkeyPatch, use: Callable[[Options], Awaitable[None]]
) -> None:
    """Aiokafka itself would leave that connection open until it is collected."""
    connections: list[AIOKafkaConnection] = []
    requested, send = asyncio.Event(), AIOKafkaConnection.send

    def note_and_send(self: AIOKafkaConnection, request: object, **options: object) -> object:
        connections.append(self)
        if isinstance(request, MetadataRequest):
            requested.set()
        return send(self, request, **options)

    monkeypatch.setattr(AIOKafkaConnection, "send", note_and_send)
    task = asyncio.ensure_future(use({"bootstrap_servers": [broker.bootstrap_servers]}))
    await asyncio.wait_for(requested.wait(), 20)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert connections
    assert not any(connection.connected() for connection in connections)


@pytest.mark.parametrize(
    ("use", "client", "method"),
    [
        (_list_topics, AIOKafkaAdminClient, "describe_topics"),
        (_create_topics, AIOKafkaAdminClient, "list_topics"),
        (_find_permissions, AIOKafkaClient, "send"),
    ],
)
async def test_a_client_whose_request_fails_is_closed(
    broker: Broker,
    monkeypatch: pytest.MonkeyPatch,
    use: Callable[[Options], Awaitable[None]],
    client: type,
    method: str,
) -> None:
    """The metadata task of a client that stays open would run on, with its connections."""
    closed: list[object] = []
    request, close = getattr(client, method), AIOKafkaClient.close

    async def refuse(*arguments: object, **options: object) -> None:
        await request(*arguments, **options)  # connects to the node
        raise TopicAuthorizationFailedError

    async def note_and_close(self: object) -> None:
        closed.append(self)
        await close(self)

    monkeypatch.setattr(client, method, refuse)
    monkeypatch.setattr(AIOKafkaClient, "close", note_and_close)
    with pytest.raises(TopicAuthorizationFailedError):
        await use({"bootstrap_servers": [broker.bootstrap_servers]})
    assert len(closed) == 1
