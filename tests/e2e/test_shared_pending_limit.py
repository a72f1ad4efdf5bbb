# SPDX-License-Identifier: GPL-3.0-or-later
"""The limit on workflows that have not started, with several workers and namespaces that hold many workflows."""

import time

from sandbox.cluster import ClusterStandIn
from sandbox.environment import Sandbox
from tests.e2e.forms import release
from tests.support.blocking_kafka import BlockingKafka, message
from tests.support.load import Load
from tests.support.polling import wait_until
from tests.support.worker_http import metric
from tests.support.workers import running

LIMIT = 9
PERIOD = 0.5
LIMITED = {"ARGO_PENDING_WORKFLOW_LIMIT": str(LIMIT), "ARGO_PENDING_SLEEP_TIME": str(PERIOD)}


def not_started(cluster: ClusterStandIn, namespace: str) -> list[str]:
    """Give the names of the workflows of a namespace that Argo has not started."""
    return cluster.on_loop(
        lambda: [workflow.record.name for workflow in cluster.store.select(namespace) if workflow.phase is None]
    )


def start_all(cluster: ClusterStandIn, namespace: str) -> int:
    """Let all workflows start that wait; tell how many these were."""
    waiting = not_started(cluster, namespace)
    for name in waiting:
        cluster.set_phase(namespace, name, "Running")
    return len(waiting)


def test_workers_keep_to_the_limit_until_all_is_scheduled(sandbox: Sandbox, kafka: BlockingKafka) -> None:
    """A workflow is created only while at most as many as the limit wait; each worker may go one beyond, no more.

    That is so though both find all the room free at the same time. The other namespace has a limit of its own, and what
    has long ended counts in neither.
    """
    cluster, backend = sandbox.cluster, sandbox.cluster.namespaces.backend
    cluster.seed(backend, 2000, "Succeeded")
    load = Load(kafka, sandbox, "limited")
    workers = [sandbox.worker(sandbox.env(**LIMITED)) for _ in range(2)]
    with running(*workers):
        wait_until(lambda: kafka.members(sandbox.group()) == 2, "both share the topics")
        load.send(100)
        load.wait_for(LIMIT + 1)
        kafka.send(sandbox.topic("thoth.investigator.unrevsolved-package"), message(release()))
        wait_until(lambda: any(each.kind == "revsolver" for each in cluster.created), "the other namespace is open")

        started = []
        while load.created().total() + 2 * (LIMIT + 1) < len(load.urls):
            wait_until(lambda: len(not_started(cluster, backend)) > LIMIT, "the room is taken")
            time.sleep(3 * PERIOD)  # whoever would go on, does so after its next count
            started.append(start_all(cluster, backend))
        assert len(started) > 1
        assert all(number <= LIMIT + len(workers) for number in started)
        wait_until(
            lambda: start_all(cluster, backend) == 0 and len(load.created()) == len(load.urls), "all are created"
        )
        load.wait_for_all()
        assert sum(metric(worker, "thoth_investigator_failures_total") for worker in workers) == 0
