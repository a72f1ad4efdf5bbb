# SPDX-License-Identifier: GPL-3.0-or-later
"""Dead-letter topics that change while a worker runs; the embedded broker accepts writes to deleted topics."""

from sandbox.broker import Broker
from sandbox.kafka_client import KafkaClient
from tests.support.dead_letter_harness import keeping
from tests.support.kafka_admin import KafkaAdmin


async def test_a_deleted_dead_letter_topic_is_recreated(broker: Broker, deployment: str) -> None:
    """Only the deleted records are lost; the next dead letter is written to a new topic with as many partitions."""
    async with keeping(deployment, broker) as keeper, KafkaClient(broker.bootstrap_servers) as kafka:
        await keeper.keep(b"before")
        await keeper.lose_twin()
        await keeper.keep(b"after")
        assert [record.value for record in await kafka.read(keeper.twin, 1)] == [b"after"]
        assert len(await kafka.partitions(keeper.twin)) == 3


async def test_messages_of_a_new_partition_are_dead_lettered(
    broker: Broker, deployment: str, admin: KafkaAdmin
) -> None:
    """The dead-letter topic does not get more partitions; it has one for each key nevertheless."""
    async with keeping(deployment, broker) as keeper, KafkaClient(broker.bootstrap_servers) as kafka:
        await keeper.keep(b"old", partition=2)
        admin.set_partition_count(deployment, 5)
        await keeper.keep(b"new", partition=4)
        assert sorted(record.value for record in await kafka.read(keeper.twin, 2)) == [b"new", b"old"]
