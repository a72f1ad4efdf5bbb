# SPDX-License-Identifier: GPL-3.0-or-later
"""Commit metadata, which list the finished messages after the commit position; the embedded broker drops them."""

from collections.abc import Callable

import pytest

from sandbox.environment import Sandbox
from sandbox.faults import Fault
from sandbox.worker import Worker
from tests.apache_kafka.repo_init_messages import CREATE, REPO_INIT, repo_init_messages, workflow_counts
from tests.support.blocking_kafka import BlockingKafka
from tests.support.kafka_admin import KafkaAdmin
from tests.support.polling import wait_until
from tests.support.worker_http import get, metric

LATER = 500


@pytest.mark.parametrize("end", [Worker.stop, Worker.kill], ids=["stopped", "killed"])
def test_messages_finished_after_a_failed_one_are_not_repeated_after_a_restart_of_all_workers(
    sandbox: Sandbox, kafka: BlockingKafka, admin: KafkaAdmin, end: Callable[[Worker], int]
) -> None:
    """The commit position stays at the failed message; the 500 later messages are handled exactly once."""
    topic = sandbox.topic(REPO_INIT)
    environment = sandbox.env(THOTH_INVESTIGATOR_MAX_RETRIES="3", THOTH_INVESTIGATOR_BACKOFF="3")
    sandbox.cluster.faults.set(Fault(effect="status", method="POST", path=CREATE, body="/0.git", status=500))
    kafka.create_topics(sandbox.broker, [topic])
    kafka.send_all(topic, repo_init_messages(range(LATER + 1)), partition=0)

    with sandbox.worker(environment) as first:
        wait_until(lambda: len(workflow_counts(sandbox.cluster)) == LATER, "all later messages are handled")
        wait_until(lambda: metric(first, "thoth_investigator_halted_topics") == 1, "the topic is halted")
        wait_until(
            lambda: kafka.committed(sandbox.group(), topic) == {0: 0}, "the failed message's offset is committed"
        )
        wait_until(lambda: admin.commit_metadata(sandbox.group(), topic) != [""], "the commit metadata are stored")
        end(first)

    sandbox.cluster.faults.clear()
    sandbox.cluster.request_log.clear()
    with sandbox.worker(environment) as second:
        wait_until(lambda: metric(second, "thoth_investigator_halted_topics") == 1, "the topic is still halted")
        assert get(second, f"/resume/{REPO_INIT}")[0] == 200
        wait_until(lambda: kafka.committed(sandbox.group(), topic) == {0: LATER + 1}, "all messages are committed")

    assert workflow_counts(sandbox.cluster) == dict.fromkeys(range(LATER + 1), 1)
    assert [call.status for call in sandbox.cluster.request_log.find("POST", CREATE)] == [201]
