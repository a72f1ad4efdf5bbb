# SPDX-License-Identifier: GPL-3.0-or-later
"""SIGTERM: a worker accepts no new message, drains those in flight until a timeout, leaves the group, exits with 0."""

import time

from sandbox.broker import Broker
from sandbox.environment import Sandbox
from sandbox.faults import Fault
from sandbox.worker import Worker
from sandbox.workflow_lifecycle import WorkflowLifecycle
from tests.support.blocking_kafka import BlockingKafka, message
from tests.support.polling import wait_until
from tests.support.repository_load import RUN_URL, Load
from tests.support.running_workers import SHORT_SESSION, running
from tests.support.worker_http import get, metric

INSPECTION = "thoth.inspection-completed"
PENDING = "thoth_investigator_pending_workflows"
IN_PROGRESS = "thoth_investigator_in_progress"
SLOW_SECONDS = 6.0  # the duration of a call: longer than a revocation waits, shorter than the test's shutdown timeout
SHUTDOWN_SECONDS = 3.0  # THOTH_INVESTIGATOR_SHUTDOWN_TIMEOUT where calls hang
# A worker needs a few seconds besides its shutdown timeout, and more on a slow machine; a hang lasts far longer.
END_SECONDS = SHUTDOWN_SECONDS + 12.0


def assert_clean_end(worker: Worker) -> None:
    """Send SIGTERM; raise AssertionError if the worker does not end in time, with status 0 and without errors."""
    start, logged = time.monotonic(), len(worker.log_text())
    worker.terminate()
    assert worker.wait(timeout=60) == 0
    assert time.monotonic() - start < END_SECONDS
    output = worker.log_text()[logged:]
    assert "Traceback" not in output
    assert "Exiting before everything was closed" not in output  # logged at the end of the stop timeout


def test_in_flight_messages_are_drained_and_committed(sandbox: Sandbox, kafka: BlockingKafka, broker: Broker) -> None:
    """Under load, every accepted message is finished and committed; the rest is left to the next worker."""
    load = Load(kafka, sandbox, "drained")
    kafka.create_topics(broker, [load.topic])
    sandbox.cluster.faults.set(Fault(effect="latency", seconds=0.3))
    worker = sandbox.worker(sandbox.env(**SHORT_SESSION))
    with running(worker):
        load.send(200)
        load.wait_for(30)
        assert_clean_end(worker)

        created = load.created().total()
        assert created < 200
        assert kafka.committed(sandbox.group(), load.topic) == {0: created}

        sandbox.cluster.faults.clear()
        worker.start()
        load.wait_for_all()
        # aiokafka sends no LeaveGroup in generation 0, which is the first one of the embedded broker: check the second.
        assert_clean_end(worker)
        assert kafka.members(sandbox.group()) == 0


def test_a_rebalance_during_a_shutdown_does_not_shorten_the_drain(
    sandbox: Sandbox, kafka: BlockingKafka, broker: Broker
) -> None:
    """If all workers end at once, the partitions are revoked meanwhile; in-flight messages are drained even so."""
    load = Load(kafka, sandbox, "slow")
    kafka.create_topics(broker, [load.topic])
    environment = sandbox.env(THOTH_INVESTIGATOR_SHUTDOWN_TIMEOUT="30", **SHORT_SESSION)
    workers = [sandbox.worker(environment), sandbox.worker(environment)]
    with running(*workers):
        wait_until(lambda: kafka.members(sandbox.group()) == 2, "both workers are in the group")
        load.send(1)
        load.wait_for_all()
        sandbox.cluster.faults.set(Fault(effect="latency", seconds=SLOW_SECONDS, method="POST", body="/slow-1"))
        load.send(1)
        wait_until(lambda: sum(metric(worker, IN_PROGRESS) for worker in workers) == 1, "the message is in flight")
        busy, idle = sorted(workers, key=lambda worker: metric(worker, IN_PROGRESS), reverse=True)
        logged = len(busy.log_text())
        for worker in workers:
            worker.terminate()
        assert [idle.wait(), busy.wait()] == [0, 0]
        assert "Revoking previously assigned partitions" in busy.log_text()[logged:]
        assert kafka.committed(sandbox.group(), load.topic) == {0: 2}
        load.wait_for_all()


def test_a_worker_ends_in_time_although_no_message_can_be_finished(
    sandbox: Sandbox, kafka: BlockingKafka, broker: Broker
) -> None:
    """One topic is halted, calls to the cluster hang, and a namespace is at its pending limit.

    Messages that are not finished in time are released; the next worker handles each once when the faults are gone.
    """
    cluster, backend = sandbox.cluster, sandbox.cluster.namespaces.backend
    halted, waiting = Load(kafka, sandbox, "halted"), Load(kafka, sandbox, "waiting", RUN_URL)
    hanging = [f"inspection-{number:012}-0123456789abcdef" for number in range(10)]
    topics = [halted.topic, waiting.topic, sandbox.topic(INSPECTION)]
    kafka.create_topics(broker, topics)
    cluster.seed(backend, 5, "Pending")
    cluster.faults.set(
        Fault(effect="status", status=422, method="POST", body="/halted-0"), Fault(effect="hang", body="inspection-0")
    )
    limits = {"ARGO_PENDING_WORKFLOW_LIMIT": "4", "ARGO_PENDING_SLEEP_TIME": "0.2"}
    worker = sandbox.worker(
        sandbox.env(THOTH_INVESTIGATOR_SHUTDOWN_TIMEOUT=str(SHUTDOWN_SECONDS), **limits, **SHORT_SESSION)
    )
    with running(worker):
        halted.send(100)
        waiting.send(5)
        for inspection in hanging:
            kafka.send(sandbox.topic(INSPECTION), message(inspection_id=inspection))
        wait_until(lambda: metric(worker, "thoth_investigator_halted_topics") == 1, "the topic is halted")
        wait_until(
            lambda: metric(worker, PENDING, namespace=backend) == 5, "the worker knows that the namespace is full"
        )
        wait_until(lambda: metric(worker, IN_PROGRESS, message_type="inspection_completed") == 10, "calls hang")
        assert_clean_end(worker)
        assert [kafka.committed(sandbox.group(), topic).get(0, 0) for topic in topics] == [0, 0, 0]
        assert cluster.created == []

        cluster.reset()
        cluster.controller.lifecycle = WorkflowLifecycle()  # workflows start at once from here on
        worker.start()
        waiting.wait_for_all()
        wait_until(lambda: len(cluster.created) == 15, "all messages but those of the halted topic are handled")
        assert get(worker, "/_health")[0] == 200
        assert get(worker, f"/resume/{halted.base_name}")[0] == 200
        halted.wait_for_all()
