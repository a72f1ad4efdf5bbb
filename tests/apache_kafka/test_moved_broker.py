# SPDX-License-Identifier: GPL-3.0-or-later
"""All brokers get other addresses behind the same bootstrap address, as after a move to other nodes."""

from collections.abc import Iterator

import pytest

from sandbox.apache_kafka import MovingKafka
from sandbox.environment import Sandbox
from tests.apache_kafka.repo_init_messages import REPO_INIT, repo_init_messages, workflow_counts
from tests.support.blocking_kafka import BlockingKafka, message
from tests.support.polling import wait_until

EXTRACT = "thoth.package-extract-trigger"


@pytest.fixture(scope="module")
def broker(apache_kafka_programs: None) -> Iterator[MovingKafka]:
    """The broker that moves."""
    del apache_kafka_programs
    with MovingKafka() as running:
        yield running


def test_a_worker_finds_brokers_that_have_moved(sandbox: Sandbox, broker: MovingKafka) -> None:
    """Consumer, producer of dead letters, and reader of halts: each message gets its workflow or its dead letter."""
    topic, extract = sandbox.topic(REPO_INIT), sandbox.topic(EXTRACT)
    with sandbox.worker(sandbox.env(THOTH_INVESTIGATOR_ACK_ON_FAIL="1")) as worker:
        with BlockingKafka(broker.bootstrap_servers) as kafka:
            kafka.create_topics(broker, [topic, extract], partitions=2)
            kafka.send_all(topic, repo_init_messages(range(20)))
            kafka.send(extract, message(environment_type="bad-1"))
            wait_until(lambda: len(workflow_counts(sandbox.cluster)) == 20, "the first messages are handled")
            wait_until(lambda: len(kafka.read(f"{extract}-dlt", 1, 3)) == 1, "the first dead letter is written")
        broker.move()
        with BlockingKafka(broker.bootstrap_servers) as kafka:
            kafka.send_all(topic, repo_init_messages(range(20, 40)))
            kafka.send(extract, message(environment_type="bad-2"))
            wait_until(lambda: len(workflow_counts(sandbox.cluster)) == 40, "the others are handled", 90)
            wait_until(lambda: len(kafka.read(f"{extract}-dlt", 2, 3)) == 2, "the second dead letter is written", 60)
            wait_until(lambda: sum(kafka.committed(sandbox.group(), topic).values()) == 40, "all are committed", 60)
        assert workflow_counts(sandbox.cluster) == dict.fromkeys(range(40), 1)
        assert "found the brokers again by bootstrap" in worker.log_text()
        assert worker.stop() == 0
