# SPDX-License-Identifier: GPL-3.0-or-later
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.client import AIOKafkaClient
from aiokafka.errors import TopicAuthorizationFailedError

from investigator.kafka.topic_reader import TopicReader
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
