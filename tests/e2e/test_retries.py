# SPDX-License-Identifier: GPL-3.0-or-later
"""Messages that fail while others succeed: retries, their order, and the halt after the last attempt."""

import time
from collections.abc import Iterator

import pytest

from sandbox.environment import Sandbox
from sandbox.faults import Fault
from sandbox.worker import Worker
from tests.e2e.forms import release
from tests.support.blocking_kafka import BlockingKafka, message
from tests.support.polling import wait_until
from tests.support.repository_load import REPO_INIT, RUN_URL, Load
from tests.support.worker_http import Scrape, get, metric

HALTED = "thoth_investigator_halted_topics"
CREATION = "*/workflows"


@pytest.fixture(scope="module")
def worker(shared_sandbox: Sandbox) -> Iterator[Worker]:
    """A worker with a shorter backoff between attempts than by default."""
    with shared_sandbox.worker(shared_sandbox.env(THOTH_INVESTIGATOR_BACKOFF="0.2")) as running:
        yield running


@pytest.fixture(autouse=True)
def faults_are_removed(shared_sandbox: Sandbox) -> Iterator[None]:
    """Remove the faults of a test after it."""
    yield
    shared_sandbox.cluster.faults.clear()


def failing(body: str, *, status: int = 500, count: int | None = None) -> Fault:
    """Return a fault: creations of workflows whose request contains the text are answered with the status."""
    return Fault(effect="status", status=status, method="POST", path=CREATION, body=body, count=count)


def test_a_message_that_keeps_failing_halts_its_topic_after_five_attempts(
    worker: Worker, shared_sandbox: Sandbox, kafka: BlockingKafka
) -> None:
    """Other in-flight messages are handled, other topics continue, and a resume retries the message."""
    load, other = Load(kafka, shared_sandbox, "poisoned"), Load(kafka, shared_sandbox, "beside", RUN_URL)
    shared_sandbox.cluster.faults.set(failing("/poisoned-3"))
    start = time.monotonic()
    load.send(10)
    wait_until(lambda: metric(worker, HALTED, base_topic_name=REPO_INIT) == 1, "the topic is halted")

    scrape = Scrape(worker)
    assert time.monotonic() - start > 0.2 * (1 + 2 + 3 + 4)
    assert scrape.value("thoth_investigator_exceptions_total", message_type="repo_init") == 5
    assert scrape.value("thoth_investigator_failures_total", message_type="repo_init") == 1
    assert set(load.urls) - set(load.created()) == {load.urls[3]}
    other.send(10)
    other.wait_for_all()

    shared_sandbox.cluster.faults.clear()
    assert get(worker, f"/resume/{REPO_INIT}")[0] == 200
    load.wait_for_all()
    assert metric(worker, HALTED) == 0
    assert metric(worker, "thoth_investigator_processed_total", message_type="repo_init") == 10


def test_a_message_that_fails_temporarily_is_handled_by_a_later_attempt(
    worker: Worker, shared_sandbox: Sandbox, kafka: BlockingKafka
) -> None:
    """A temporary failure costs attempts, but needs no operator."""
    shared_sandbox.cluster.faults.set(failing("inspection-passing", count=8))

    kafka.send(shared_sandbox.topic("thoth.inspection-completed"), message(inspection_id="inspection-passing"))
    done = "thoth_investigator_processed_total"
    wait_until(lambda: metric(worker, done, message_type="inspection_completed") == 1, "the message is handled")

    assert metric(worker, "thoth_investigator_exceptions_total", message_type="inspection_completed") >= 1
    assert metric(worker, "thoth_investigator_failures_total", message_type="inspection_completed") == 0
    assert metric(worker, HALTED) == 0


def test_a_retry_does_not_repeat_what_succeeded(worker: Worker, shared_sandbox: Sandbox, kafka: BlockingKafka) -> None:
    """Of several workflows only the one that failed is requested again."""
    fields = release()
    shared_sandbox.cluster.request_log.clear()
    shared_sandbox.cluster.faults.set(failing(shared_sandbox.cluster.solvers[1], count=13))

    kafka.send(shared_sandbox.topic("thoth.package-release.package-released"), message(fields))
    done = "thoth_investigator_processed_total"
    wait_until(lambda: metric(worker, done, message_type="package_released") == 1, "the message is handled")

    assert metric(worker, "thoth_investigator_exceptions_total", message_type="package_released") == 2
    assert shared_sandbox.cluster.request_log.statuses("POST", CREATION) == {500: 13, 201: 3}


def test_messages_with_the_same_key_are_handled_in_order(
    worker: Worker, shared_sandbox: Sandbox, kafka: BlockingKafka
) -> None:
    """Later messages of a key wait while its first one is retried; messages without a key overtake them."""
    first, rest = Load(kafka, shared_sandbox, "keyed", RUN_URL), Load(kafka, shared_sandbox, "keyless", RUN_URL)
    shared_sandbox.cluster.faults.set(failing("/keyed-0", count=8))
    for url in first.new_urls(10):
        kafka.send(first.topic, message(url=url), key=b"the same", partition=0)
    for url in rest.new_urls(10):
        kafka.send(rest.topic, message(url=url), partition=0)

    first.wait_for_all()
    rest.wait_for_all()
    assert list(first.created()) == first.urls
    every = [workflow.parameters.get("KEBECHET_REPO_URL") for workflow in shared_sandbox.cluster.created]
    assert every.index(rest.urls[-1]) < every.index(first.urls[0])
    assert metric(worker, HALTED) == 0


REFUSED: dict[str, tuple[str, dict[str, object]]] = {
    "unknown field": ("thoth.package-extract-trigger", {"image": "ubi8:refused", "environment_type": "runtime"}),
    "denied by Gatekeeper": ("thoth.adviser-trigger", {"recommendation_type": "refused"}),
    "object too large for etcd": ("thoth.kebechet-trigger", {"webhook_payload": {"action": "refused"}}),
    "workflow is invalid": ("thoth.build-analysis-trigger", {"base_image": "ubi8:refused"}),
}


@pytest.mark.parametrize("answer", REFUSED)
def test_a_message_that_the_cluster_refuses_is_not_retried(
    worker: Worker, shared_sandbox: Sandbox, kafka: BlockingKafka, answer: str
) -> None:
    """The answer is about this message: it fails permanently, and its topic is halted at once."""
    base_name, fields = REFUSED[answer]
    shared_sandbox.cluster.request_log.clear()
    fault = Fault(effect="answer", answer=answer, method="POST", path=CREATION, body="refused")
    shared_sandbox.cluster.faults.set(fault)

    kafka.send(shared_sandbox.topic(base_name), message(fields))
    wait_until(lambda: metric(worker, HALTED, base_topic_name=base_name) == 1, "the topic is halted")

    label = base_name.rsplit(".", 1)[-1].replace("-", "_")
    assert metric(worker, "thoth_investigator_exceptions_total", message_type=label) == 1
    assert shared_sandbox.cluster.request_log.statuses("POST", CREATION) == {fault.recorded().code: 1}


PASSING = ["permission to create", "namespace is being deleted", "no definition of workflows", "token refused"]


@pytest.mark.parametrize("answer", PASSING)
def test_an_answer_that_concerns_every_message_fails_none(
    worker: Worker, shared_sandbox: Sandbox, kafka: BlockingKafka, answer: str
) -> None:
    """The message waits until the cluster is repaired, and uses up no attempt."""
    solved = "thoth_investigator_processed_total"
    before = metric(worker, solved, message_type="cve_provided")
    fault = Fault(effect="answer", answer=answer, method="POST", path=CREATION, count=5)
    shared_sandbox.cluster.faults.set(fault)

    kafka.send(shared_sandbox.topic("thoth.cve-update.cve-provided"), message(release()))

    wait_until(lambda: metric(worker, solved, message_type="cve_provided") == before + 1, "the message is handled")
    assert metric(worker, "thoth_investigator_failures_total", message_type="cve_provided") == 0
