# SPDX-License-Identifier: GPL-3.0-or-later
"""Topics of dead letters that change while a worker runs; the embedded broker takes writes to topics that are gone."""

from sandbox.broker import Broker
from sandbox.kafka_client import KafkaClient
from tests.support.dead_letter_harness import running_harness
from tests.support.kafka_operator import Operator


async def test_a_twin_that_was_deleted_is_made_anew(broker: Broker, deployment: str) -> None:
    """Nothing is lost by it but what was deleted, and no topic is halted."""
    async with running_harness(deployment, broker) as harness, KafkaClient(broker.bootstrap_servers) as kafka:
        await harness.publish(b"before")
        await harness.delete_dead_letter_topic()
        await harness.publish(b"after")
        assert [record.value for record in await kafka.read(harness.dead_letter_topic, 1)] == [b"after"]
        assert len(await kafka.partitions(harness.dead_letter_topic)) == 3


async def test_messages_of_a_new_partition_are_kept(broker: Broker, deployment: str, operator: Operator) -> None:
    """A twin that is known to be there does not grow with its source; keys stay together in it all the same."""
    async with running_harness(deployment, broker) as harness, KafkaClient(broker.bootstrap_servers) as kafka:
        await harness.publish(b"old", partition=2)
        operator.grow_topic(deployment, 5)
        await harness.publish(b"new", partition=4)
        assert sorted(record.value for record in await kafka.read(harness.dead_letter_topic, 2)) == [b"new", b"old"]
