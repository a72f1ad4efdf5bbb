# SPDX-License-Identifier: GPL-3.0-or-later
"""The watchdog sees whether a client has partitions, and which of its tasks have ended."""

import uuid
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from aiokafka import AIOKafkaConsumer

from investigator.kafka import internals
from investigator.kafka.patches.all_clients import patch_clients
from sandbox.broker import Broker


@pytest_asyncio.fixture
async def client(broker: Broker) -> AsyncIterator[AIOKafkaConsumer]:
    """A member of a group that has partitions."""
    patch_clients()
    name = f"watched-{uuid.uuid4().hex[:10]}"
    await broker.create_topics([name])
    client = AIOKafkaConsumer(name, bootstrap_servers=broker.bootstrap_servers, group_id=name)
    assert internals.ended_tasks(client) == ()
    assert not internals.is_assigned(client)
    await client.start()
    try:
        yield client
    finally:
        await client.stop()


async def test_a_client_with_partitions_has_no_ended_task_and_answers(client: AIOKafkaConsumer) -> None:
    """Nothing in it counts against a healthy worker."""
    await client.getmany(timeout_ms=100)
    assert internals.is_assigned(client)
    assert internals.ended_tasks(client) == ()
    assert internals.answer_count(client) > 0


def _coordination(client: AIOKafkaConsumer) -> Any:  # noqa: ANN401  aiokafka has no types
    return client._coordinator._coordination_task


def _fetcher(client: AIOKafkaConsumer) -> Any:  # noqa: ANN401  same
    return client._fetcher._fetch_task


def _metadata(client: AIOKafkaConsumer) -> Any:  # noqa: ANN401  same
    return client._client._sync_task


@pytest.mark.parametrize(
    ("name", "task"), [("coordination", _coordination), ("fetcher", _fetcher), ("metadata", _metadata)]
)
async def test_an_ended_task_is_named(client: AIOKafkaConsumer, name: str, task: Any) -> None:  # noqa: ANN401  same
    """Aiokafka starts none of them again, and goes on as if nothing had happened."""
    task(client).cancel()
    await client.getmany(timeout_ms=100)
    assert internals.ended_tasks(client) == (name,)


async def test_a_client_that_rebalances_is_not_taken_for_one_with_partitions(client: AIOKafkaConsumer) -> None:
    """It may wait for the other members for as long as these take."""
    client._subscription.begin_reassignment()
    assert not internals.is_assigned(client)
    client._subscription.subscription._reassignment_in_progress = False
