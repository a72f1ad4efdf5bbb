# SPDX-License-Identifier: GPL-3.0-or-later
"""Failing counts and full quotas, over the cluster's API: messages wait, and none fails."""

import asyncio

import pytest

from investigator.argo.http import ApiError
from investigator.argo.workflow_creation import CreateResult
from investigator.observability.metrics import Metrics
from investigator.resilience.breaker_group import BreakerGroup
from sandbox.cluster import ClusterStandIn
from sandbox.faults import Fault
from tests.integration.argo.scheduling import CREATE, Make, counted, schedule

FAILING = "thoth_investigator_pending_count_failing"
WAITING = "thoth_investigator_quota_waiting"

Tasks = list["asyncio.Task[None]"]


def gauge(metrics: Metrics, name: str, namespace: str) -> float:
    """Read a gauge of a namespace."""
    return metrics.registry.get_sample_value(name, {"namespace": namespace}) or 0.0


async def start(make: Make, number: int, **options: object) -> Tasks:
    """Start to schedule solvers for different messages."""
    scheduler = make(**options)
    return [asyncio.create_task(schedule(scheduler, offset=offset)) for offset in range(number)]


@pytest.mark.parametrize(
    "fault",
    [
        Fault(effect="status", status=500, method="GET", path=CREATE),
        Fault(effect="status", status=403, method="GET", path=CREATE),
        Fault(effect="status", status=404, method="GET", path=CREATE),
        Fault(effect="status", status=200, method="GET", path=CREATE),
        Fault(effect="status", status=401, method="GET", path=CREATE),
        Fault(effect="reset", method="GET", path=CREATE),
        Fault(effect="hang", method="GET", path=CREATE),
        Fault(effect="status", status=500, method="GET", path="*/pods"),
    ],
    ids=lambda fault: f"{fault.effect} {fault.status} {fault.path}",
)
async def test_a_count_that_fails_fails_no_message(
    fault: Fault, make: Make, cluster: ClusterStandIn, metrics: Metrics, breaker: BreakerGroup
) -> None:
    """All wait, the breaker of the cluster stays closed, the metric shows it, and all are scheduled afterwards."""
    cluster.faults.set(fault)
    tasks = await start(make, 40, limit=100)
    await asyncio.sleep(2)
    namespace = cluster.namespaces.middletier
    assert not any(task.done() for task in tasks)
    assert gauge(metrics, FAILING, namespace) == 1
    assert not breaker.view.is_open
    cluster.faults.clear()
    await asyncio.wait_for(asyncio.gather(*tasks), 8)
    assert len(cluster.created) == 40
    assert gauge(metrics, FAILING, namespace) == 0


async def test_a_full_quota_makes_messages_wait_until_there_is_room(
    make: Make, cluster: ClusterStandIn, metrics: Metrics, breaker: BreakerGroup
) -> None:
    """No message fails, the breaker stays closed, and each workflow is counted as created once."""
    namespace = cluster.namespaces.middletier
    cluster.set_quota(namespace, 5)
    tasks = await start(make, 40)
    await asyncio.sleep(2)
    assert len(cluster.created) == 5
    assert gauge(metrics, WAITING, namespace) == 35
    assert not breaker.view.is_open
    cluster.set_quota(namespace, 1000)
    await asyncio.wait_for(asyncio.gather(*tasks), 8)
    assert len(cluster.created) == 40
    assert gauge(metrics, WAITING, namespace) == 0
    assert (counted(metrics, "scheduled_workflows"), counted(metrics, "deduplicated_workflows")) == (40, 0)


async def test_a_full_quota_does_not_hold_back_the_other_namespace(make: Make, cluster: ClusterStandIn) -> None:
    """It concerns its namespace only."""
    cluster.set_quota(cluster.namespaces.middletier, 0)
    scheduler = make()
    waiting = [asyncio.create_task(schedule(scheduler, offset=offset)) for offset in range(20)]
    await asyncio.sleep(0.3)
    await asyncio.wait_for(schedule(scheduler, "adviser"), 2)
    for task in waiting:
        task.cancel()


async def test_a_full_quota_causes_few_requests(make: Make, cluster: ClusterStandIn) -> None:
    """After the first refusals, one creation tries at a time, at growing pauses."""
    cluster.set_quota(cluster.namespaces.middletier, 0)
    scheduler = make()
    tasks = [asyncio.create_task(schedule(scheduler, offset=0))]
    await asyncio.sleep(0.5)
    tasks += [asyncio.create_task(schedule(scheduler, offset=offset)) for offset in range(1, 200)]
    await asyncio.sleep(5)
    assert 1 <= len(cluster.request_log.find("POST", CREATE)) <= 5
    for task in tasks:
        task.cancel()


async def test_quota_and_pending_limit_hold_together(make: Make, cluster: ClusterStandIn) -> None:
    """A creation that waits for room holds no permit."""
    namespace = cluster.namespaces.middletier
    cluster.set_quota(namespace, 3)
    tasks = await start(make, 10, limit=4)
    await asyncio.sleep(1)
    assert len(cluster.created) == 3
    cluster.set_quota(namespace, 1000)
    await asyncio.sleep(4)
    assert len(cluster.created) == 5
    for workflow in cluster.store.select(namespace):
        cluster.set_phase(namespace, workflow.record.name, "Running")
    await asyncio.sleep(1)
    assert len(cluster.created) == 10
    await asyncio.gather(*tasks)


@pytest.mark.parametrize("conflicts", [1, 3])
async def test_a_conflict_at_a_quota_is_repeated_at_once(
    conflicts: int, make: Make, cluster: ClusterStandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is neither a failed attempt nor a reason to wait."""
    scheduler, left = make(max_attempts=1), conflicts
    create = scheduler._cluster.create

    def conflicting(*arguments: object) -> CreateResult:
        nonlocal left
        left -= 1
        if left >= 0:
            raise quota_conflict()
        return create(*arguments)  # type: ignore[arg-type]  # those of the original

    monkeypatch.setattr(scheduler._cluster, "create", conflicting)
    await asyncio.wait_for(schedule(scheduler), 0.9)
    assert len(cluster.created) == 1


def quota_conflict() -> Exception:
    """Return the error of a creation that met another one at the quota."""
    text = 'Operation cannot be fulfilled on resourcequotas "q": the object has been modified; try again'
    return ApiError("POST /workflows", 409, text, reason="Conflict")


async def test_the_views_name_what_creations_wait_for(make: Make, cluster: ClusterStandIn) -> None:
    """The status page shows them."""
    namespace = cluster.namespaces.middletier
    cluster.set_quota(namespace, 0)
    scheduler = make()
    tasks = [asyncio.create_task(schedule(scheduler, offset=offset)) for offset in range(3)]
    await asyncio.sleep(0.5)
    view = scheduler._admissions[namespace].view
    assert view.quota is not None
    assert (view.quota.quota, view.quota.waiting) == ("object-counts", 3)
    assert "exceeded quota: object-counts, requested: count/workflows.argoproj.io=1" in view.quota.error
    assert scheduler._admissions[cluster.namespaces.backend].view.quota is None
    for task in tasks:
        task.cancel()


@pytest.mark.parametrize("limit", [None, 100])
async def test_creations_that_are_unavailable_keep_no_permits_and_follow_when_they_can(
    limit: int | None, make: Make, cluster: ClusterStandIn, breaker: BreakerGroup
) -> None:
    """The waits for the breaker, over real calls: none fails, and each workflow is created once."""
    cluster.faults.set(Fault(effect="status", status=503, method="POST", path=CREATE))
    scheduler = make(limit=limit)
    tasks = [asyncio.create_task(schedule(scheduler, offset=offset)) for offset in range(40)]
    await asyncio.sleep(5)
    assert breaker.view.is_open
    assert not any(task.done() for task in tasks)
    admission = scheduler._admissions[cluster.namespaces.middletier]
    assert (admission.limiter._budget._creating, admission.gate._trying) == ([], 0)
    cluster.faults.clear()
    await asyncio.wait_for(asyncio.gather(*tasks), 30)
    assert len(cluster.created) == 40
