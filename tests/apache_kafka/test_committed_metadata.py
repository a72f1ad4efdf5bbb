# SPDX-License-Identifier: GPL-3.0-or-later
"""What was finished beyond a commit is told by the commit's metadata, which the embedded broker does not keep."""

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

BEHIND = 500


@pytest.mark.parametrize("end", [Worker.stop, Worker.kill], ids=["stopped", "killed"])
def test_what_finished_behind_a_failed_message_is_not_handled_again_after_a_restart_of_all_workers(
    sandbox: Sandbox, kafka: BlockingKafka, admin: KafkaAdmin, end: Callable[[Worker], int]
) -> None:
    """The failed message keeps the commit at its offset; the 500 behind it are done, and stay so."""
    topic = sandbox.topic(REPO_INIT)
    environment = sandbox.env(THOTH_INVESTIGATOR_MAX_RETRIES="3", THOTH_INVESTIGATOR_BACKOFF="3")
    sandbox.cluster.faults.set(Fault(effect="status", method="POST", path=CREATE, body="/0.git", status=500))
    kafka.create_topics(sandbox.broker, [topic])
    kafka.send_all(topic, repo_init_messages(range(BEHIND + 1)), partition=0)

    with sandbox.worker(environment) as first:
        wait_until(lambda: len(workflow_counts(sandbox.cluster)) == BEHIND, "all but the failing one are set up")
        wait_until(lambda: metric(first, "thoth_investigator_halted_topics") == 1, "the topic is halted")
        wait_until(lambda: kafka.committed(sandbox.group(), topic) == {0: 0}, "the commit waits at the failed message")
        wait_until(lambda: admin.commit_metadata(sandbox.group(), topic) != [""], "the marks are kept")
        end(first)

    sandbox.cluster.faults.clear()
    sandbox.cluster.request_log.clear()
    with sandbox.worker(environment) as second:
        wait_until(lambda: metric(second, "thoth_investigator_halted_topics") == 1, "the topic is still halted")
        assert get(second, f"/resume/{REPO_INIT}")[0] == 200
        wait_until(lambda: kafka.committed(sandbox.group(), topic) == {0: BEHIND + 1}, "everything is committed")

    assert workflow_counts(sandbox.cluster) == dict.fromkeys(range(BEHIND + 1), 1)
    assert [call.status for call in sandbox.cluster.request_log.find("POST", CREATE)] == [201]
