# SPDX-License-Identifier: GPL-3.0-or-later
"""Two workers with one KAFKA_CONSUMER_GROUP_INSTANCE_ID: one of them ends and says why, and the other one works."""

import os
from functools import partial

from sandbox.broker import Broker
from sandbox.environment import Sandbox
from tests.apache_kafka.repo_init_messages import REPO_INIT, repo_init_messages, workflow_counts
from tests.support.blocking_kafka import BlockingKafka
from tests.support.polling import wait_until
from tests.support.running_workers import running


def test_the_worker_whose_place_was_taken_ends_and_names_the_variable(
    sandbox: Sandbox, broker: Broker, kafka: BlockingKafka
) -> None:
    """They do not take turns in the group, which would stop both of them."""
    topic = sandbox.topic(REPO_INIT)
    kafka.create_topics(broker, [topic], partitions=2)
    environment = sandbox.env(KAFKA_CONSUMER_GROUP_INSTANCE_ID="one-for-all")
    former, latter = sandbox.worker(environment), sandbox.worker(environment)
    with running(former):
        wait_until(lambda: "Worker ready" in former.log_text(), "the first worker is in the group", 60)
        with running(latter):
            assert former.wait(60) == os.EX_SOFTWARE
            assert "KAFKA_CONSUMER_GROUP_INSTANCE_ID" in former.log_text()
            assert "instance_id=one-for-all" in former.log_text()
            kafka.send_all(topic, repo_init_messages(range(20)))
            wait_until(partial(_are_handled, sandbox, 20), "all are handled", 60)
            assert latter.log_text().count("(Re-)joining group") <= 3
            assert latter.stop() == 0


def test_a_quick_restart_keeps_the_place(sandbox: Sandbox, broker: Broker, kafka: BlockingKafka) -> None:
    """The variable is for that: the new process takes the place of the former one, and is not fenced by it."""
    topic = sandbox.topic(REPO_INIT)
    kafka.create_topics(broker, [topic], partitions=2)
    worker = sandbox.worker(sandbox.env(KAFKA_CONSUMER_GROUP_INSTANCE_ID="restarted"))
    for run in range(2):
        with running(worker):
            kafka.send_all(topic, repo_init_messages(range(10 * run, 10 * run + 10)))
            wait_until(partial(_are_handled, sandbox, 10 * run + 10), "all are handled", 60)
    assert "Ending the worker" not in worker.log_text()


def _are_handled(sandbox: Sandbox, messages: int) -> bool:
    return workflow_counts(sandbox.cluster) == dict.fromkeys(range(messages), 1)
