# SPDX-License-Identifier: GPL-3.0-or-later
"""Outages of a whole dependency under load: no message fails or is handled twice, and work continues by itself."""

from collections.abc import Callable, Iterator

import pytest

from sandbox.environment import Sandbox
from sandbox.faults import Fault
from sandbox.postgres import PostgresServer
from sandbox.worker import Worker
from tests.e2e.forms import release
from tests.support.blocking_kafka import BlockingKafka, message
from tests.support.polling import wait_until
from tests.support.repository_load import RUN_URL, Load
from tests.support.worker_http import Scrape, metric

BREAKER = "thoth_investigator_circuit_breaker_open"
Change = Callable[[Sandbox], object]
UNANALYZED = "thoth.investigator.si-unanalyzed-package"


@pytest.fixture(autouse=True)
def faults_are_removed(shared_sandbox: Sandbox) -> Iterator[None]:
    """Remove the faults of a test after it."""
    yield
    shared_sandbox.cluster.faults.clear()


def assert_nothing_failed(worker: Worker) -> None:
    """Raise AssertionError if a message failed permanently since the start, or a topic is halted."""
    scrape = Scrape(worker)
    assert scrape.value("thoth_investigator_failures_total") == 0
    assert scrape.value("thoth_investigator_halted_topics") == 0


def _answers(status: int) -> tuple[Change, Change]:
    fault = Fault(effect="status", status=status)
    return lambda sandbox: sandbox.cluster.faults.set(fault), lambda sandbox: sandbox.cluster.faults.clear()


OUTAGES: dict[str, tuple[Change, Change]] = {
    "answers 500": _answers(500),
    "answers 503": _answers(503),
    "refuses connections": (
        lambda sandbox: sandbox.cluster.stop(),
        lambda sandbox: sandbox.cluster.start(),
    ),
    "cuts connections": (
        lambda sandbox: sandbox.cluster.faults.set(Fault(effect="reset")),
        lambda sandbox: sandbox.cluster.faults.clear(),
    ),
}


@pytest.mark.parametrize("name", OUTAGES)
def test_work_waits_while_the_cluster_is_unavailable(
    worker: Worker, shared_sandbox: Sandbox, kafka: BlockingKafka, name: str
) -> None:
    """An outage costs no attempts: the circuit breaker opens, its metric shows that, and it closes by itself."""
    begin, end = OUTAGES[name]
    loads = [
        Load(kafka, shared_sandbox, name.replace(" ", "-")),
        Load(kafka, shared_sandbox, name.replace(" ", "-") + "-too", RUN_URL),
    ]
    for load in loads:
        load.send(50)
    loads[0].wait_for(10)

    begin(shared_sandbox)
    try:
        wait_until(lambda: metric(worker, BREAKER, dependency="cluster") == 1, "the circuit breaker is open")
        before = sum(load.created().total() for load in loads)
        for load in loads:
            load.send(50)
        shared_sandbox.cluster.request_log.clear()
        if name != "refuses connections":
            wait_until(lambda: len(shared_sandbox.cluster.request_log.calls) >= 2, "the cluster was probed twice")
        assert len(shared_sandbox.cluster.request_log.calls) < 10
        assert sum(load.created().total() for load in loads) == before
        assert_nothing_failed(worker)
    finally:
        end(shared_sandbox)

    for load in loads:
        load.wait_for_all()
    wait_until(lambda: metric(worker, BREAKER) == 0, "the circuit breaker is closed")
    assert_nothing_failed(worker)


@pytest.mark.parametrize(
    "fault",
    [
        Fault(effect="status", status=500, probability=0.5),
        Fault(effect="lost", method="POST", path="*/workflows", probability=0.5),
        Fault(effect="reset", probability=0.3),
    ],
    ids=["half of the answers are errors", "half of the replies are lost", "a third of the connections is cut"],
)
def test_an_unreliable_cluster_gets_every_workflow_once(
    worker: Worker, shared_sandbox: Sandbox, kafka: BlockingKafka, fault: Fault
) -> None:
    """Calls are retried until they succeed; a retry after a lost reply finds the workflow that was created."""
    load = Load(kafka, shared_sandbox, f"unreliable-{fault.effect}")
    shared_sandbox.cluster.faults.set(fault)

    load.send(150)

    load.wait_for_all()
    assert_nothing_failed(worker)


def test_work_continues_after_a_restart_of_the_database(
    worker: Worker, shared_sandbox: Sandbox, postgres: PostgresServer, kafka: BlockingKafka
) -> None:
    """Broken connections are replaced; messages that failed during the outage are handled by a later attempt."""
    topic = shared_sandbox.topic(UNANALYZED)
    before = metric(worker, "thoth_investigator_processed_total", message_type="si_unanalyzed_package")
    shared_sandbox.cluster.faults.set(Fault(effect="latency", seconds=0.2))
    kafka.send_all(topic, [message(release()) for _ in range(150)])
    done = "thoth_investigator_processed_total"
    wait_until(
        lambda: metric(worker, done, message_type="si_unanalyzed_package") > before + 20, "some messages are handled"
    )

    postgres.kill()
    kafka.send_all(topic, [message(release()) for _ in range(50)])
    try:
        wait_until(lambda: metric(worker, BREAKER, dependency="graph") == 1, "the circuit breaker is open")
    finally:
        postgres.start()

    wait_until(
        lambda: metric(worker, done, message_type="si_unanalyzed_package") == before + 200, "all messages are handled"
    )
    versions = [
        workflow.parameters["THOTH_SECURITY_INDICATORS_PACKAGE_VERSION"]
        for workflow in shared_sandbox.cluster.created
        if workflow.kind == "security-indicator"
    ]
    assert len(versions) == len(set(versions)) == 200
    assert_nothing_failed(worker)
