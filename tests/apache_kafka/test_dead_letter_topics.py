# SPDX-License-Identifier: GPL-3.0-or-later
"""Dead-letter topics that change while a worker runs; the embedded broker accepts writes to deleted topics."""

from sandbox.broker import Broker
from sandbox.kafka_client import KafkaClient
from tests.support.dead_letter_harness import running_harness
from tests.support.kafka_admin import KafkaAdmin


async def test_a_deleted_dead_letter_topic_is_recreated(broker: Broker, deployment: str) -> None:
    """Only the deleted records are lost; the next dead letter is written to a new topic with as many partitions."""
    async with running_harness(deployment, broker) as harness, KafkaClient(broker.bootstrap_servers) as kafka:
        await harness.publish(b"before")
        await harness.delete_dead_letter_topic()
        await harness.publish(b"after")
        assert [record.value for record in await kafka.read(harness.dead_letter_topic, 1)] == [b"after"]
        assert len(await kafka.partitions(harness.dead_letter_topic)) == 3


async def test_messages_of_a_new_partition_are_dead_lettered(
    broker: Broker, deployment: str, admin: KafkaAdmin
) -> None:
    """The dead-letter topic does not get more partitions; it has one for each key nevertheless."""
    async with running_harness(deployment, broker) as harness, KafkaClient(broker.bootstrap_servers) as kafka:
        await harness.publish(b"old", partition=2)
        admin.set_partition_count(deployment, 5)
        await harness.publish(b"new", partition=4)
        assert sorted(record.value for record in await kafka.read(harness.dead_letter_topic, 2)) == [b"new", b"old"]
