# SPDX-License-Identifier: GPL-3.0-or-later
"""The pending limit with two workers, two namespaces, and thousands of finished workflows."""

import time

from sandbox.cluster import ClusterStandIn
from sandbox.environment import Sandbox
from tests.e2e.forms import release
from tests.support.blocking_kafka import BlockingKafka, message
from tests.support.polling import wait_until
from tests.support.repository_load import Load
from tests.support.running_workers import running
from tests.support.worker_http import metric

LIMIT = 9
PERIOD = 0.5
LIMITED = {"ARGO_PENDING_WORKFLOW_LIMIT": str(LIMIT), "ARGO_PENDING_SLEEP_TIME": str(PERIOD)}


def pending(cluster: ClusterStandIn, namespace: str) -> list[str]:
    """Return the names of the workflows of a namespace that Argo has not started."""
    return cluster.on_loop(
        lambda: [workflow.record.name for workflow in cluster.store.select(namespace) if workflow.phase is None]
    )


def start_all(cluster: ClusterStandIn, namespace: str) -> int:
    """Start all pending workflows of a namespace; return their number."""
    names = pending(cluster, namespace)
    for name in names:
        cluster.set_phase(namespace, name, "Running")
    return len(names)


def test_workers_keep_to_the_pending_limit_until_every_workflow_is_created(
    sandbox: Sandbox, kafka: BlockingKafka
) -> None:
    """Each worker exceeds the limit by at most one workflow, even if both see the whole capacity free at once.

    The other namespace has a limit of its own. Finished workflows count in neither.
    """
    cluster, backend = sandbox.cluster, sandbox.cluster.namespaces.backend
    cluster.seed(backend, 2000, "Succeeded")
    load = Load(kafka, sandbox, "limited")
    workers = [sandbox.worker(sandbox.env(**LIMITED)) for _ in range(2)]
    with running(*workers):
        wait_until(lambda: kafka.members(sandbox.group()) == 2, "both workers are in the group")
        load.send(100)
        load.wait_for(LIMIT + 1)
        kafka.send(sandbox.topic("thoth.investigator.unrevsolved-package"), message(release()))
        wait_until(
            lambda: any(each.kind == "revsolver" for each in cluster.created),
            "a workflow is created in the other namespace",
        )

        starts = []
        while load.created().total() + 2 * (LIMIT + 1) < len(load.urls):
            wait_until(lambda: len(pending(cluster, backend)) > LIMIT, "the limit is reached")
            time.sleep(3 * PERIOD)  # a worker that exceeded the limit would do so after its next count
            starts.append(start_all(cluster, backend))
        assert len(starts) > 1
        assert all(number <= LIMIT + len(workers) for number in starts)
        wait_until(
            lambda: start_all(cluster, backend) == 0 and len(load.created()) == len(load.urls),
            "all workflows are created",
        )
        load.wait_for_all()
        assert sum(metric(worker, "thoth_investigator_failures_total") for worker in workers) == 0
