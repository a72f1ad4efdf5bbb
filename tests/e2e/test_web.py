# SPDX-License-Identifier: GPL-3.0-or-later
"""The HTTP pages of a worker, as dashboards, probes and operators use them."""

import json
import time
from collections.abc import Iterator

import pytest

from sandbox.environment import Sandbox
from sandbox.faults import Fault
from sandbox.worker import Worker
from tests.e2e.forms import forms
from tests.support.blocking_kafka import BlockingKafka, message
from tests.support.polling import wait_until
from tests.support.worker_http import Scrape, get, get_json, metric

TYPES = sorted(forms("https://example.com/simple", frozenset()))
NAMES = (
    "thoth_investigator_consumer_info",
    "thoth_investigator_in_progress",
    "thoth_investigator_exceptions_total",
    "thoth_investigator_processed_total",
    "thoth_investigator_failures_total",
    "thoth_investigator_scheduled_workflows_total",
    "thoth_investigator_halted_topics",
    "thoth_investigator_missing_handler",
    "thoth_database_schema_revision_script",
    "message_count_by_version_total",
    "current_partition_offsets",
    "thoth_advise_justification_type_number",
)
HALTED = "thoth_investigator_halted_topics"
PROCESSED = "thoth_investigator_processed_total"


@pytest.fixture
def slow_cluster(shared_sandbox: Sandbox) -> Iterator[None]:
    """Delay every answer of the cluster by three seconds during a test."""
    shared_sandbox.cluster.faults.set(Fault(effect="latency", seconds=3.0))
    yield
    shared_sandbox.cluster.faults.clear()


def test_health_is_answered_with_the_version(worker: Worker) -> None:
    """Kubernetes' probes succeed for a worker that has started."""
    status, content = get_json(worker, "/_health")

    assert (status, content["status"]) == (200, "ready")
    assert content["version"]
    assert content.keys() == {"status", "version"}


@pytest.mark.parametrize("name", NAMES)
def test_the_metrics_of_the_contract_are_there_from_the_start(worker: Worker, name: str) -> None:
    """A dashboard finds each metric before the first event, with or without samples."""
    assert f"# TYPE {name.removesuffix('_total')}" in Scrape(worker).text.replace("_total ", " ")


def test_the_version_and_the_schema_are_shown(worker: Worker, shared_sandbox: Sandbox) -> None:
    """An alert compares the schema revision of the worker's code with that of the database."""
    scrape = Scrape(worker)
    ((revision,),) = shared_sandbox.database.execute("SELECT version_num FROM alembic_version")

    schema = scrape["thoth_database_schema_revision_script"]
    assert schema == {("investigator", shared_sandbox.deployment, revision): 1.0}
    ((version,),) = scrape["thoth_investigator_consumer_info"]
    assert version == get_json(worker, "/_health")[1]["version"]


def test_every_topic_is_shown_as_not_halted_from_the_start(worker: Worker) -> None:
    """An alert on a halt needs the zero before the one."""
    assert {name for (name,) in Scrape(worker)[HALTED]} == set(TYPES)


def test_metrics_of_investigator_and_of_faust_are_on_one_page(worker: Worker) -> None:
    """Prometheus scrapes one address."""
    scrape = Scrape(worker)

    assert "# TYPE faust_" in scrape.text
    assert "# TYPE process_cpu_seconds" in scrape.text


def test_a_topic_is_halted_and_resumed(worker: Worker, shared_sandbox: Sandbox, kafka: BlockingKafka) -> None:
    """Paths and answers are those of the contract; a message that arrives in between is handled after the resume."""
    base_name, label = "thoth.repo-init", "repo_init"
    topic = shared_sandbox.topic(base_name)

    answer = get_json(worker, f"/halt/{base_name}")
    assert answer == (200, {"message": f"Successfully halted consumption of {topic}."})
    wait_until(lambda: metric(worker, HALTED, base_topic_name=base_name) == 1, "the gauge shows the halt")

    kafka.send(topic, message(project_url="https://github.com/thoth-station/halted"))
    kafka.send(shared_sandbox.topic("thoth.kebechet-trigger"), message(webhook_payload={}))
    wait_until(lambda: metric(worker, PROCESSED, message_type="kebechet_trigger") == 1, "another topic continues")
    assert metric(worker, PROCESSED, message_type=label) == 0

    answer = get_json(worker, f"/resume/{base_name}")
    assert answer == (200, {"message": f"Successfully resumed consumption of {topic}."})
    wait_until(lambda: metric(worker, PROCESSED, message_type=label) == 1, "the message is handled")
    assert metric(worker, HALTED, base_topic_name=base_name) == 0


def test_missing_topics_were_created_at_the_start(
    worker: Worker, shared_sandbox: Sandbox, kafka: BlockingKafka
) -> None:
    """They have six partitions by default, so that up to six workers can share a topic."""
    assert worker.is_healthy
    assert {
        kafka.partitions(shared_sandbox.topic(base_name)) for base_name in ("thoth.adviser-trigger", "thoth.repo-init")
    } == {6}


def test_each_log_line_about_a_message_has_its_position(
    worker: Worker, shared_sandbox: Sandbox, kafka: BlockingKafka
) -> None:
    """Each event is one line with a JSON object, whose topic, partition and offset identify the message."""
    topic = shared_sandbox.topic("thoth.inspection-completed")
    sent = kafka.send(topic, message(inspection_id="inspection-000000000001-0123456789abcdef"))
    wait_until(lambda: metric(worker, PROCESSED, message_type="inspection_completed") == 1, "the message is handled")

    lines = [json.loads(line) for line in worker.log_text().splitlines()]
    about = [line for line in lines if line.get("topic") == topic]
    assert any("graph-sync" in line["message"] for line in about)
    assert {(line["partition"], line["offset"]) for line in about} == {(sent.partition, sent.offset)}


@pytest.mark.parametrize("page", ["halt", "resume"])
def test_an_unknown_topic_is_refused_by_name(worker: Worker, page: str) -> None:
    """An operator's typing error changes nothing, and the answer lists the known names."""
    status, content = get_json(worker, f"/{page}/thoth.repo-int")

    assert status == 422
    assert "'thoth.repo-int'" in content["message"]
    assert "thoth.repo-init" in content["message"]


def test_an_unknown_action_is_refused(worker: Worker) -> None:
    """The worker does not guess the action, and lists the known ones."""
    status, content = get_json(worker, "/resume/thoth.repo-init?action=drop")

    assert status == 422
    assert "skip" in content["message"]


@pytest.mark.parametrize("page", ["table", "router", "graph", "stats", "performance", "production_index"])
def test_fausts_internal_pages_are_off(worker: Worker, page: str) -> None:
    """The worker does not expose its internals over HTTP."""
    assert get(worker, f"/{page}")[0] == 404
    assert get(worker, f"/{page}/")[0] == 404


@pytest.mark.usefixtures("slow_cluster")
def test_health_is_answered_while_every_handler_waits(
    worker: Worker, shared_sandbox: Sandbox, kafka: BlockingKafka
) -> None:
    """Calls to the cluster run off the event loop: Kubernetes does not restart a worker because the cluster is slow."""
    kafka.send_all(
        shared_sandbox.topic("thoth.kebechet-run-url-trigger"),
        [message(url=f"https://github.com/thoth-station/slow-{number}") for number in range(60)],
    )
    wait_until(lambda: metric(worker, "thoth_investigator_in_progress") == 20, "all handlers are busy")

    durations: list[float] = []
    while metric(worker, "thoth_investigator_in_progress") == 20 and len(durations) < 100:
        start = time.monotonic()
        assert get(worker, "/_health")[0] == 200
        durations.append(time.monotonic() - start)

    assert len(durations) >= 10
    assert sorted(durations)[int(len(durations) * 0.95)] < 1.0
