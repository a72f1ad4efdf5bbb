# SPDX-License-Identifier: GPL-3.0-or-later
"""Dead-letter topics: the publisher creates missing ones, and does not check for them each time."""

from collections.abc import AsyncIterator

import pytest

from sandbox.broker import Broker
from sandbox.kafka_client import KafkaClient
from tests.support.dead_letter_harness import DeadLetterHarness, running_harness


@pytest.fixture
async def harness(broker: Broker, deployment: str) -> AsyncIterator[DeadLetterHarness]:
    """A harness for a topic of the test's own."""
    async with running_harness(deployment, broker) as harness:
        yield harness


@pytest.fixture
async def kafka(broker: Broker) -> AsyncIterator[KafkaClient]:
    """Another client."""
    async with KafkaClient(broker.bootstrap_servers) as client:
        yield client


async def test_the_publisher_creates_a_dead_letter_topic_once(harness: DeadLetterHarness, kafka: KafkaClient) -> None:
    """A burst of dead letters does not open a connection for each of them."""
    for number in range(3):
        await harness.publish(b"%d" % number, partition=number)
    dead_letters = await kafka.read(harness.dead_letter_topic, 3)
    assert sorted((record.partition, record.value) for record in dead_letters) == [(0, b"0"), (1, b"1"), (2, b"2")]
    assert harness.creations == 1


async def test_a_dead_letter_topic_with_fewer_partitions_than_its_source_gets_all_dead_letters(
    harness: DeadLetterHarness, kafka: KafkaClient, broker: Broker
) -> None:
    """An operator may add partitions to a topic at any time; its dead-letter topic does not grow with it."""
    await broker.create_topics([harness.dead_letter_topic], partitions=2)
    for number in range(3):
        await harness.publish(b"%d" % number, partition=number)
    dead_letters = await kafka.read(harness.dead_letter_topic, 3)
    partitions = {record.value: record.partition for record in dead_letters}
    assert partitions.pop(b"2") in (0, 1)
    assert partitions == {b"0": 0, b"1": 1}
