# SPDX-License-Identifier: GPL-3.0-or-later
"""Three brokers with replication factor 3 and min.insync.replicas 2: the loss of one broker is tolerated."""

from collections.abc import Iterator

import pytest

from sandbox.apache_kafka import ApacheKafkaBrokers
from sandbox.environment import Sandbox
from tests.apache_kafka.repo_init_messages import REPO_INIT, repo_init_messages, workflow_counts
from tests.support.blocking_kafka import BlockingKafka, message
from tests.support.kafka_admin import KafkaAdmin
from tests.support.polling import wait_until
from tests.support.worker_http import metric

BATCHES, SIZE = 12, 50
EXTRACT = "thoth.package-extract-trigger"


@pytest.fixture(scope="module")
def broker(apache_kafka_programs: None) -> Iterator[ApacheKafkaBrokers]:
    """Return three brokers for the tests of this module."""
    del apache_kafka_programs
    with ApacheKafkaBrokers() as brokers:
        yield brokers


def test_no_message_is_lost_or_handled_twice_while_brokers_are_killed_and_restarted(
    sandbox: Sandbox, broker: ApacheKafkaBrokers, kafka: BlockingKafka, admin: KafkaAdmin
) -> None:
    """Each broker is killed and restarted once while two workers process valid and invalid messages."""
    topic, extract = sandbox.topic(REPO_INIT), sandbox.topic(EXTRACT)
    kafka.create_topics(broker, [topic, extract], partitions=3)
    everything = dict.fromkeys(range(BATCHES * SIZE), 1)
    environment = sandbox.env(THOTH_INVESTIGATOR_ACK_ON_FAIL="1")
    with sandbox.worker(environment) as first, sandbox.worker(environment) as second:
        for batch in range(BATCHES):
            _kill_or_restart(broker, batch)
            good = repo_init_messages(range(batch * SIZE, (batch + 1) * SIZE))
            bad = message(environment_type=f"bad-{batch}")
            admin.send_idempotently([*((topic, value) for value in good), (extract, bad)])
            if batch == 0:  # no topic with three replicas can be created while one of three brokers is stopped
                wait_until(lambda: _dead_lettered(kafka, extract) == 1, "the first dead letter is written", 60)
        wait_until(lambda: workflow_counts(sandbox.cluster) == everything, "each valid message is handled once", 120)
        wait_until(
            lambda: sum(kafka.committed(sandbox.group(), topic).values()) == BATCHES * SIZE,
            "all messages are committed",
            60,
        )
        wait_until(lambda: _dead_lettered(kafka, extract) == BATCHES, "each invalid message is dead-lettered", 60)
        assert [metric(worker, "thoth_investigator_halted_topics") for worker in (first, second)] == [0, 0]
    assert workflow_counts(sandbox.cluster) == everything


def _dead_lettered(kafka: BlockingKafka, topic: str) -> int:
    """Count the distinct dead letters; a message that is in flight when a broker is killed may get several."""
    return len({record.value for record in kafka.read(f"{topic}-dlt", 10 * BATCHES, timeout=3)})


def _kill_or_restart(broker: ApacheKafkaBrokers, batch: int) -> None:
    """Kill a broker at every fourth batch, each time another one, and restart it two batches later."""
    node = broker.nodes[batch // 4 % len(broker.nodes)]
    if batch % 4 == 1:
        node.kill()
    if batch % 4 == 3:
        broker.restart(node)


def test_a_halt_survives_the_loss_of_its_leader(
    sandbox: Sandbox, broker: ApacheKafkaBrokers, kafka: BlockingKafka, admin: KafkaAdmin
) -> None:
    """An acknowledged halt is on two brokers, so a new worker reads it after its topic's leader is killed."""
    topic = sandbox.topic(REPO_INIT)
    kafka.create_topics(broker, [topic], partitions=3)
    with sandbox.worker() as worker:
        kafka.send(topic, message(project_url=None), partition=0)
        wait_until(lambda: metric(worker, "thoth_investigator_halted_topics") == 1, "the topic is halted")
    leader = admin.leader(sandbox.topic("thoth.investigator.halts"))
    [node] = [node for node in broker.nodes if node.number == leader]
    node.kill()
    with sandbox.worker() as another:
        wait_until(lambda: metric(another, "thoth_investigator_halted_topics") == 1, "the topic is still halted")
    broker.restart(node)
