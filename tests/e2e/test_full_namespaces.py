# SPDX-License-Identifier: GPL-3.0-or-later
"""Counts that fail, full quotas and namespaces without nodes: messages wait, none fails, and others go on."""

import math
import time
from collections.abc import Iterator
from dataclasses import replace

import pytest

from sandbox.environment import Sandbox
from sandbox.faults import Fault
from sandbox.worker import Worker
from sandbox.workflow_lifecycle import WorkflowLifecycle
from tests.e2e.forms import release
from tests.support.blocking_kafka import BlockingKafka, message
from tests.support.polling import wait_until
from tests.support.repository_load import REPO_INIT, RUN_URL, Load
from tests.support.running_workers import running
from tests.support.worker_http import Scrape, get_json, metric

LIMIT = 6
LIMITED = {"ARGO_PENDING_WORKFLOW_LIMIT": str(LIMIT), "ARGO_PENDING_SLEEP_TIME": "0.5"}
UNREVSOLVED = "thoth.investigator.unrevsolved-package"


@pytest.fixture
def limited(sandbox: Sandbox) -> Iterator[Worker]:
    """A worker with a pending limit, in a sandbox of its own; workflows start and end quickly."""
    sandbox.cluster.controller.lifecycle = WorkflowLifecycle(running=0.1, ttl=0.5)
    with sandbox.worker(sandbox.env(**LIMITED)) as worker:
        yield worker


def loads(kafka: BlockingKafka, sandbox: Sandbox) -> list[Load]:
    """Return loads of two topics of the backend."""
    return [Load(kafka, sandbox, "projects", REPO_INIT), Load(kafka, sandbox, "runs", RUN_URL)]


def send_revsolvers(kafka: BlockingKafka, sandbox: Sandbox, count: int) -> None:
    """Send messages that need only the middletier's namespace."""
    kafka.send_all(sandbox.topic(UNREVSOLVED), [message(release()) for _ in range(count)])


def revsolvers(sandbox: Sandbox) -> int:
    """Return how many workflows were created for these messages."""
    return sum(workflow.kind == "revsolver" for workflow in sandbox.cluster.created)


def assert_no_attempt_failed(worker: Worker) -> None:
    """Raise AssertionError if any attempt of a message failed, or a topic is halted."""
    scrape = Scrape(worker)
    names = ("exceptions_total", "failures_total", "dead_letters_total", "halted_topics")
    assert {name: scrape.value(f"thoth_investigator_{name}") for name in names} == dict.fromkeys(names, 0)


def namespace_status(worker: Worker, name: str) -> dict[str, object]:
    """Return what the status says about a namespace."""
    _, status = get_json(worker, "/status")
    return next((each for each in status["namespaces"] if each["namespace"] == name), {})


def waits(worker: Worker) -> set[str]:
    """Return what messages wait for, by the status."""
    _, status = get_json(worker, "/status")
    return {reason for topic in status["topics"] for reason in topic["waiting_for"]}


@pytest.mark.parametrize(
    "fault",
    [
        Fault(effect="status", status=500, method="GET", path="*/workflows"),
        Fault(effect="status", status=403, method="GET", path="*/workflows"),
        Fault(effect="hang", method="GET", path="*/pods"),
    ],
    ids=["500", "403", "pods hang"],
)
def test_messages_wait_while_the_count_of_their_namespace_fails(
    limited: Worker, sandbox: Sandbox, kafka: BlockingKafka, fault: Fault
) -> None:
    """No attempt of any of two topics fails within 15 seconds; the other namespace is not affected."""
    backend = sandbox.cluster.namespaces.backend
    sandbox.cluster.faults.set(replace(fault, namespace=backend))
    of_backend = loads(kafka, sandbox)
    for load in of_backend:
        load.send(40)
    send_revsolvers(kafka, sandbox, 10)
    wait_until(lambda: revsolvers(sandbox) == 10, "the other namespace's workflows are created")
    time.sleep(15)
    assert sum(load.created().total() for load in of_backend) == 0
    assert f"a permit in {backend}" in waits(limited)
    assert namespace_status(limited, backend)["count_error"]
    assert metric(limited, "thoth_investigator_pending_count_failing", namespace=backend) == 1
    assert metric(limited, "thoth_investigator_circuit_breaker_open") == 0

    sandbox.cluster.faults.clear()
    for load in of_backend:
        load.wait_for(1, timeout=15)
    for load in of_backend:
        load.wait_for_all()
    assert metric(limited, "thoth_investigator_pending_count_failing") == 0
    assert_no_attempt_failed(limited)


def test_messages_wait_for_room_in_a_quota(sandbox: Sandbox, kafka: BlockingKafka) -> None:
    """A quota that is full for 20 seconds costs no attempt, and its room is used within seconds."""
    backend = sandbox.cluster.namespaces.backend
    sandbox.cluster.set_quota(backend, 3)
    of_backend = loads(kafka, sandbox)
    with sandbox.worker() as worker:
        for load in of_backend:
            load.send(40)
        wait_until(lambda: len(sandbox.cluster.created) == 3, "the quota is full")
        send_revsolvers(kafka, sandbox, 10)
        wait_until(lambda: revsolvers(sandbox) == 10, "the other namespace's workflows are created")
        sandbox.cluster.request_log.clear()
        time.sleep(20)
        posts = sandbox.cluster.request_log.find("POST", f"*/{backend}/workflows")
        assert len(posts) < 15
        assert f"room in the quota object-counts of namespace {backend}" in waits(worker)
        assert namespace_status(worker, backend)["quota"] == "object-counts"
        assert metric(worker, "thoth_investigator_quota_waiting", namespace=backend) > 0
        assert metric(worker, "thoth_investigator_circuit_breaker_open") == 0

        sandbox.cluster.set_quota(backend, None)
        for load in of_backend:
            load.wait_for_all(timeout=15)
        assert_no_attempt_failed(worker)
        assert metric(worker, "thoth_investigator_quota_waiting") == 0


def test_a_namespace_without_nodes_gets_no_more_workflows_than_the_limit(
    sandbox: Sandbox, kafka: BlockingKafka
) -> None:
    """Argo sets them Running at once, but no pod starts; with a node, the others follow."""
    cluster, backend = sandbox.cluster, sandbox.cluster.namespaces.backend
    cluster.controller.lifecycle = WorkflowLifecycle(unstarted=math.inf)
    load = Load(kafka, sandbox, "without-nodes")
    with sandbox.worker(sandbox.env(**LIMITED)) as worker:
        load.send(35)
        load.wait_for(LIMIT + 1)
        time.sleep(5)
        assert load.created().total() == LIMIT + 1
        assert set(cluster.store.counts()[backend]) == {"Running"}
        wait_until(
            lambda: cluster.start_pods(backend) == 0 and load.created().total() == 35, "the others are created", 60
        )
        assert_no_attempt_failed(worker)


def test_groups_that_share_a_namespace_divide_the_limit(sandbox: Sandbox, kafka: BlockingKafka) -> None:
    """Two deployments of two workers exceed the limit by less than one workflow for each worker."""
    limit, shares = 12, {"THOTH_INVESTIGATOR_PENDING_LIMIT_SHARES": "2", "ARGO_PENDING_WORKFLOW_LIMIT": "12"}
    variables = {**LIMITED, **shares}
    of_groups = [Load(kafka, sandbox, "one"), Load(kafka, sandbox, "other")]
    of_groups[1].topic = f"other-{of_groups[1].topic}"
    environments = [
        sandbox.env(**variables),
        sandbox.env(deployment=f"other-{sandbox.deployment}", group=f"other-{sandbox.group()}", **variables),
    ]
    workers = [sandbox.worker(environment) for environment in environments for _ in range(2)]
    with running(*workers):
        for group in (sandbox.group(), f"other-{sandbox.group()}"):
            wait_until(lambda group=group: kafka.members(group) == 2, "both workers are in the group")  # type: ignore[misc]  # the loop's group
        for load in of_groups:
            load.send(60)
        for load in of_groups:
            load.wait_for(3)
        time.sleep(6)
        pending = sum(load.created().total() for load in of_groups)
        assert limit - 4 <= pending <= limit + len(workers)
        for worker in workers:
            assert_no_attempt_failed(worker)
