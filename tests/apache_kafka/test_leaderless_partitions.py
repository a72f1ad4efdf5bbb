# SPDX-License-Identifier: GPL-3.0-or-later
"""A broker is away that has the only replica of some partitions: these wait for it, and nothing else does."""

from collections import Counter
from collections.abc import Collection, Iterator

import pytest

from sandbox.apache_kafka import ApacheKafkaBrokers
from sandbox.environment import Sandbox
from tests.apache_kafka.repo_init_messages import REPO_INIT, repo_init_message, workflow_counts
from tests.support.blocking_kafka import BlockingKafka
from tests.support.kafka_admin import KafkaAdmin
from tests.support.polling import wait_until

PARTITIONS = 9
LIVE_SECONDS = 30.0  # a rebalance and some messages, on a busy machine; a seek that waited would take 90 s


@pytest.fixture(scope="module")
def broker(apache_kafka_programs: None) -> Iterator[ApacheKafkaBrokers]:
    """A cluster of three brokers, of which the topics of this module have one replica each."""
    del apache_kafka_programs
    with ApacheKafkaBrokers() as cluster:
        yield cluster


@pytest.mark.parametrize("reset", ["earliest", "latest"])
def test_a_rebalance_while_partitions_have_no_leader_delays_these_alone(
    sandbox: Sandbox, broker: ApacheKafkaBrokers, kafka: BlockingKafka, admin: KafkaAdmin, reset: str
) -> None:
    """The group has never committed any partition, so that each worker has to ask the leaders where to begin."""
    topic = sandbox.topic(REPO_INIT)
    admin.create_topic(topic, PARTITIONS)
    leaders = admin.leaders(topic)
    # A broker that has just started may lead no partition.
    lost = next(node for node in broker.nodes if node.number == leaders[0])
    waiting = {number for number, leader in leaders.items() if leader == lost.number}
    live = leaders.keys() - waiting
    assert live
    environment = sandbox.env(KAFKA_CONSUMER_AUTO_OFFSET_RESET=reset, THOTH_INVESTIGATOR_WATCHDOG_SECONDS="20")
    with sandbox.worker(environment) as first:
        lost.kill()
        with sandbox.worker(environment) as second:
            wait_until(lambda: kafka.members(sandbox.group()) == 2, "both workers are in the group", 60)
            _send(kafka, sandbox, live, reset)
            wait_until(lambda: workflow_counts(sandbox.cluster).keys() == live, "live partitions go on", LIVE_SECONDS)
            broker.restart(lost)
            wait_until(lambda: -1 not in admin.leaders(topic).values(), "all partitions have a leader", 60)
            _send(kafka, sandbox, waiting, reset)
            everything = Counter(dict.fromkeys(leaders, 1))
            wait_until(lambda: workflow_counts(sandbox.cluster) == everything, "all are handled", 60)
            assert [first.stop(), second.stop()] == [0, 0]


def _send(kafka: BlockingKafka, sandbox: Sandbox, partitions: Collection[int], reset: str) -> None:
    """Send a message to each partition, once a group that begins at the end has committed where that is."""
    topic, group = sandbox.topic(REPO_INIT), sandbox.group()
    if reset == "latest":
        wait_until(
            lambda: set(partitions) <= kafka.committed(group, topic).keys(), "the ends are committed", LIVE_SECONDS
        )
    for number in partitions:
        kafka.send(topic, repo_init_message(number), partition=number)
