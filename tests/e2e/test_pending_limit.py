# SPDX-License-Identifier: GPL-3.0-or-later
"""The limit on workflows that have not started, with several workers and namespaces that hold many workflows."""

from sandbox.cluster import ClusterStandIn
from sandbox.environment import Sandbox
from tests.e2e.conftest import running
from tests.e2e.forms import release
from tests.e2e.load import Load
from tests.e2e.outside import Kafka, message, metric, wait_until

LIMIT = 5
LIMITED = {"ARGO_PENDING_WORKFLOW_LIMIT": str(LIMIT), "ARGO_PENDING_SLEEP_TIME": "0.2"}


def not_started(cluster: ClusterStandIn, namespace: str) -> list[str]:
    """Give the names of the workflows of a namespace that Argo has not started."""
    return cluster.on_loop(
        lambda: [workflow.record.name for workflow in cluster.store.select(namespace) if workflow.phase is None]
    )


def test_workers_keep_to_the_limit_until_all_is_scheduled(sandbox: Sandbox, kafka: Kafka) -> None:
    """A workflow is created only while at most as many as the limit wait; each worker may go one beyond, no more.

    The other namespace has a limit of its own, and what has long ended counts in neither.
    """
    cluster, backend = sandbox.cluster, sandbox.cluster.namespaces.backend
    cluster.seed(backend, 2000, "Succeeded")
    load = Load(kafka, sandbox, "limited")
    workers = [sandbox.worker(sandbox.env(**LIMITED)) for _ in range(2)]
    with running(*workers):
        wait_until(lambda: kafka.members(sandbox.group()) == 2, "both share the topics")
        load.send(60)
        load.wait_for(LIMIT + 1)
        kafka.send(sandbox.topic("thoth.investigator.unrevsolved-package"), message(release()))
        wait_until(lambda: any(each.kind == "revsolver" for each in cluster.created), "the other namespace is open")

        most = 0
        while load.created().total() < len(load.urls):
            waiting = not_started(cluster, backend)
            most = max(most, len(waiting))
            if len(waiting) > LIMIT:
                cluster.set_phase(backend, waiting[0], "Running")
            else:
                wait_until(lambda: len(not_started(cluster, backend)) > LIMIT, "the place is taken", 10)
        assert LIMIT < most <= 2 * (LIMIT + 1)
        load.wait_for_all()
        assert sum(metric(worker, "thoth_investigator_failures_total") for worker in workers) == 0
