# SPDX-License-Identifier: GPL-3.0-or-later
"""Three brokers, three copies of everything, two of which have to have a write: one broker at a time may die."""

from collections.abc import Iterator

import pytest

from sandbox.apache_kafka import ApacheKafkaCluster
from sandbox.environment import Sandbox
from tests.apache_kafka.repo_init_messages import REPO_INIT, repo_init_messages, workflow_counts
from tests.support.blocking_kafka import BlockingKafka, message
from tests.support.kafka_admin import KafkaAdmin
from tests.support.polling import wait_until
from tests.support.worker_http import metric

BATCHES, SIZE = 12, 50
EXTRACT = "thoth.package-extract-trigger"


@pytest.fixture(scope="module")
def broker(apache_kafka_programs: None) -> Iterator[ApacheKafkaCluster]:
    """Three brokers for these tests."""
    del apache_kafka_programs
    with ApacheKafkaCluster() as cluster:
        yield cluster


def test_brokers_that_die_and_come_back_under_load_lose_and_repeat_nothing(
    sandbox: Sandbox, broker: ApacheKafkaCluster, kafka: BlockingKafka, admin: KafkaAdmin
) -> None:
    """Each of the three is killed once and comes back while two workers handle messages, good ones and bad ones."""
    topic, extract = sandbox.topic(REPO_INIT), sandbox.topic(EXTRACT)
    kafka.create_topics(broker, [topic, extract], partitions=3)
    everything = dict.fromkeys(range(BATCHES * SIZE), 1)
    environment = sandbox.env(THOTH_INVESTIGATOR_ACK_ON_FAIL="1")
    with sandbox.worker(environment) as first, sandbox.worker(environment) as second:
        for batch in range(BATCHES):
            _stir(broker, batch)
            good = repo_init_messages(range(batch * SIZE, (batch + 1) * SIZE))
            bad = message(environment_type=f"bad-{batch}")
            admin.send_idempotently([*((topic, value) for value in good), (extract, bad)])
            if batch == 0:  # a topic of three copies can't be created while one of three brokers is away
                wait_until(lambda: _kept(kafka, extract) == 1, "the first dead letter is kept", 60)
        wait_until(lambda: workflow_counts(sandbox.cluster) == everything, "everything is handled once", 120)
        wait_until(
            lambda: sum(kafka.committed(sandbox.group(), topic).values()) == BATCHES * SIZE, "all is committed", 60
        )
        wait_until(lambda: _kept(kafka, extract) == BATCHES, "every bad one is kept", 60)
        assert [metric(worker, "thoth_investigator_halted_topics") for worker in (first, second)] == [0, 0]
    assert workflow_counts(sandbox.cluster) == everything


def _kept(kafka: BlockingKafka, topic: str) -> int:
    """Count the messages that dead letters were made of; what was in hand as a broker died may have several."""
    return len({record.value for record in kafka.read(f"{topic}-dlt", 10 * BATCHES, timeout=3)})


def _stir(broker: ApacheKafkaCluster, batch: int) -> None:
    """Kill another broker at every fourth batch, and bring it back two batches later."""
    node = broker.nodes[batch // 4 % len(broker.nodes)]
    if batch % 4 == 1:
        node.kill()
    if batch % 4 == 3:
        broker.restart(node)


def test_halts_outlive_the_broker_that_leads_them(
    sandbox: Sandbox, broker: ApacheKafkaCluster, kafka: BlockingKafka, admin: KafkaAdmin
) -> None:
    """A halt that was acknowledged is on two brokers, so new workers know of it also where the first one is lost."""
    topic = sandbox.topic(REPO_INIT)
    kafka.create_topics(broker, [topic], partitions=3)
    with sandbox.worker() as worker:
        kafka.send(topic, message(project_url=None), partition=0)
        wait_until(lambda: metric(worker, "thoth_investigator_halted_topics") == 1, "the topic is halted")
    leader = admin.leader(sandbox.topic("thoth.investigator.halts"))
    [node] = [node for node in broker.nodes if node.number == leader]
    node.kill()
    with sandbox.worker() as another:
        wait_until(lambda: metric(another, "thoth_investigator_halted_topics") == 1, "it is still")
    broker.restart(node)
