# SPDX-License-Identifier: GPL-3.0-or-later
"""The topics that keep dead letters: made when they are missing, and not asked about each time."""

from collections.abc import AsyncIterator

import pytest

from sandbox.broker import Broker
from sandbox.kafka_client import KafkaClient
from tests.support.dead_letter_harness import Keeper, keeping


@pytest.fixture
async def keeper(broker: Broker, deployment: str) -> AsyncIterator[Keeper]:
    """A keeper for a topic that no other test has."""
    async with keeping(deployment, broker) as keeper:
        yield keeper


@pytest.fixture
async def kafka(broker: Broker) -> AsyncIterator[KafkaClient]:
    """Another client."""
    async with KafkaClient(broker.bootstrap_servers) as client:
        yield client


async def test_a_twin_is_asked_about_once(keeper: Keeper, kafka: KafkaClient) -> None:
    """A burst of dead letters does not connect to the broker anew for each of them."""
    for number in range(3):
        await keeper.keep(b"%d" % number, partition=number)
    kept = await kafka.read(keeper.twin, 3)
    assert sorted((record.partition, record.value) for record in kept) == [(0, b"0"), (1, b"1"), (2, b"2")]
    assert keeper.asked == 1


async def test_a_twin_with_fewer_partitions_than_its_source_keeps_all(
    keeper: Keeper, kafka: KafkaClient, broker: Broker
) -> None:
    """A topic may get more partitions at any time; its twin does not get them by itself."""
    await broker.create_topics([keeper.twin], partitions=2)
    for number in range(3):
        await keeper.keep(b"%d" % number, partition=number)
    kept = await kafka.read(keeper.twin, 3)
    assert {record.value: record.partition for record in kept if record.value != b"2"} == {b"0": 0, b"1": 1}
    assert len(kept) == 3
