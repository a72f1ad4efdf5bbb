# SPDX-License-Identifier: GPL-3.0-or-later
"""Topics of dead letters that change while a worker runs; the embedded broker takes writes to topics that are gone."""

from sandbox.broker import Broker
from sandbox.kafka_client import KafkaClient
from tests.support.dead_letter_harness import keeping
from tests.support.kafka_admin import KafkaAdmin


async def test_a_twin_that_was_deleted_is_made_anew(broker: Broker, deployment: str) -> None:
    """Nothing is lost by it but what was deleted, and no topic is halted."""
    async with keeping(deployment, broker) as keeper, KafkaClient(broker.bootstrap_servers) as kafka:
        await keeper.keep(b"before")
        await keeper.lose_twin()
        await keeper.keep(b"after")
        assert [record.value for record in await kafka.read(keeper.twin, 1)] == [b"after"]
        assert len(await kafka.partitions(keeper.twin)) == 3


async def test_messages_of_a_new_partition_are_kept(broker: Broker, deployment: str, admin: KafkaAdmin) -> None:
    """A twin that is known to be there does not grow with its source; keys stay together in it all the same."""
    async with keeping(deployment, broker) as keeper, KafkaClient(broker.bootstrap_servers) as kafka:
        await keeper.keep(b"old", partition=2)
        admin.set_partition_count(deployment, 5)
        await keeper.keep(b"new", partition=4)
        assert sorted(record.value for record in await kafka.read(keeper.twin, 2)) == [b"new", b"old"]
