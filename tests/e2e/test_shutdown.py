# SPDX-License-Identifier: GPL-3.0-or-later
"""SIGTERM: a worker takes up nothing new, finishes what is in hand within bounds, leaves the group and exits with 0."""

import time

from sandbox.broker import Broker
from sandbox.environment import Sandbox
from sandbox.faults import Fault
from sandbox.worker import Worker
from sandbox.workflow_lifecycle import WorkflowLifecycle
from tests.support.blocking_kafka import BlockingKafka, message
from tests.support.load import RUN_URL, Load
from tests.support.polling import wait_until
from tests.support.worker_http import get, metric
from tests.support.workers import SHORT_SESSION, running

INSPECTION = "thoth.inspection-completed"
PENDING = "thoth_investigator_pending_workflows"
IN_PROGRESS = "thoth_investigator_in_progress"
SLOW = 6.0  # seconds that a call takes; those who lose a partition wait for less, those who end for more
BOUND = 3.0  # seconds that messages in hand are given
# Far more than the bound and what the process needs besides it, and far less than a hang: the machine may be slow.
SOON = BOUND + 12.0


def ends_well(worker: Worker) -> None:
    """Send SIGTERM; raises AssertionError where the worker does not end soon, in good order, and with status 0."""
    begun, logged = time.monotonic(), len(worker.log_text())
    worker.terminate()
    assert worker.wait(timeout=60) == 0
    assert time.monotonic() - begun < SOON
    said = worker.log_text()[logged:]
    assert "Traceback" not in said
    assert "Ending now" not in said  # as a worker says that could not close everything in time


def test_what_is_in_hand_is_finished_and_committed(sandbox: Sandbox, kafka: BlockingKafka, broker: Broker) -> None:
    """Under load no work is thrown away: what was taken up is committed, the rest is for the next worker."""
    load = Load(kafka, sandbox, "drained")
    kafka.create_topics(broker, [load.topic])
    sandbox.cluster.faults.set(Fault(effect="latency", seconds=0.3))
    worker = sandbox.worker(sandbox.env(**SHORT_SESSION))
    with running(worker):
        load.send(200)
        load.wait_for(30)
        ends_well(worker)

        created = load.created().total()
        assert created < 200
        assert kafka.committed(sandbox.group(), load.topic) == {0: created}

        sandbox.cluster.faults.clear()
        worker.start()
        load.wait_for_all()
        # aiokafka takes no leave of the embedded broker's first generation of a group, which is its number 0.
        ends_well(worker)
        assert kafka.members(sandbox.group()) == 0


def test_another_worker_that_ends_takes_no_time_away(sandbox: Sandbox, kafka: BlockingKafka, broker: Broker) -> None:
    """Where all are sent away at once, the partitions change hands meanwhile; what is in hand is finished even so."""
    load = Load(kafka, sandbox, "slow")
    kafka.create_topics(broker, [load.topic])
    environment = sandbox.env(THOTH_INVESTIGATOR_SHUTDOWN_TIMEOUT="30", **SHORT_SESSION)
    workers = [sandbox.worker(environment), sandbox.worker(environment)]
    with running(*workers):
        wait_until(lambda: kafka.members(sandbox.group()) == 2, "both share the topics")
        load.send(1)
        load.wait_for_all()
        sandbox.cluster.faults.set(Fault(effect="latency", seconds=SLOW, method="POST", body="/slow-1"))
        load.send(1)
        wait_until(lambda: sum(metric(worker, IN_PROGRESS) for worker in workers) == 1, "it is in hand")
        busy, idle = sorted(workers, key=lambda worker: metric(worker, IN_PROGRESS), reverse=True)
        logged = len(busy.log_text())
        for worker in workers:
            worker.terminate()
        assert [idle.wait(), busy.wait()] == [0, 0]
        assert "Revoking previously assigned partitions" in busy.log_text()[logged:]
        assert kafka.committed(sandbox.group(), load.topic) == {0: 2}
        load.wait_for_all()


def test_a_worker_ends_while_nothing_can_be_finished(sandbox: Sandbox, kafka: BlockingKafka, broker: Broker) -> None:
    """One topic is halted, calls of the cluster hang, and a namespace is full: none of that is waited for.

    What was not finished in time is given back, and handled once by the next worker, when the trouble is over.
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
    worker = sandbox.worker(sandbox.env(THOTH_INVESTIGATOR_SHUTDOWN_TIMEOUT=str(BOUND), **limits, **SHORT_SESSION))
    with running(worker):
        halted.send(100)
        waiting.send(5)
        for inspection in hanging:
            kafka.send(sandbox.topic(INSPECTION), message(inspection_id=inspection))
        wait_until(lambda: metric(worker, "thoth_investigator_halted_topics") == 1, "the topic is halted")
        wait_until(lambda: metric(worker, PENDING, namespace=backend) == 5, "the namespace is known to be full")
        wait_until(lambda: metric(worker, IN_PROGRESS, message_type="inspection_completed") == 10, "calls hang")
        ends_well(worker)
        assert [kafka.committed(sandbox.group(), topic).get(0, 0) for topic in topics] == [0, 0, 0]
        assert cluster.created == []

        cluster.reset()
        cluster.controller.life = WorkflowLifecycle()  # workflows start at once from now on
        worker.start()
        waiting.wait_for_all()
        wait_until(lambda: len(cluster.created) == 15, "all but what is halted is handled")
        assert get(worker, "/_health")[0] == 200
        assert get(worker, f"/resume/{halted.base_name}")[0] == 200
        halted.wait_for_all()
