# SPDX-License-Identifier: GPL-3.0-or-later
"""The limit of pending workflows, over the cluster's API."""

import asyncio
import contextlib
import itertools
from collections.abc import AsyncIterator
from typing import Any

import pytest

from investigator.delivery.current_message import bind_message
from investigator.observability.metrics import Metrics
from investigator.web.status_collector import sample_values
from sandbox.cluster import ClusterStandIn
from sandbox.workflow_lifecycle import WorkflowLifecycle
from sandbox.workflow_store import Workflow
from tests.integration.argo.scheduling import CREATE, Make, schedule


async def test_concurrent_handlers_do_not_exceed_the_limit(
    make: Make, cluster: ClusterStandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At each creation at most ``limit`` workflows are pending, and the counts keep their interval."""
    seen: list[int] = []
    namespace = cluster.namespaces.middletier
    store_create = cluster.store.create

    def create(namespace_name: str, body: dict[str, Any]) -> Workflow:
        counts = cluster.store.counts()[namespace]
        seen.append(counts.get("", 0) + counts.get("Pending", 0))
        return store_create(namespace_name, body)

    monkeypatch.setattr(cluster.store, "create", create)
    cluster.controller.lifecycle = WorkflowLifecycle(pending=0.1, running=1000)
    scheduler = make(limit=4, interval=0.1)
    await asyncio.gather(*(schedule(scheduler, offset=number) for number in range(25)))
    assert len(seen) == 25
    assert max(seen) <= 4
    counts = cluster.request_log.find("GET", CREATE)
    assert all(after.started - before.started >= 0.1 for before, after in itertools.pairwise(counts))


async def test_each_namespace_has_its_own_limit(make: Make, cluster: ClusterStandIn, metrics: Metrics) -> None:
    """A full middletier does not delay a user's request, and the gauges show which namespace is full."""
    cluster.seed(cluster.namespaces.middletier, 10)
    scheduler = make(limit=2)
    bulk = asyncio.create_task(schedule(scheduler, "solver"))
    await schedule(scheduler, "adviser")
    await asyncio.sleep(0.2)
    assert not bulk.done()
    bulk.cancel()
    shown = metrics.pending_workflows.labels(namespace=cluster.namespaces.middletier)._value.get()
    limit = metrics.pending_workflow_limit.labels(namespace=cluster.namespaces.middletier)._value.get()
    assert (shown, limit) == (10, 2)


@pytest.mark.parametrize("limit", [None, 2])
async def test_nothing_is_shown_as_pending_before_the_first_count(
    make: Make, metrics: Metrics, *, limit: int | None
) -> None:
    """A gauge of 0 would say that the namespace is empty; without a limit nothing is ever counted."""
    scheduler = make(limit=limit)
    assert sample_values(metrics.pending_workflows) == {}
    await schedule(scheduler)
    assert len(sample_values(metrics.pending_workflows)) == (limit is not None)


async def test_the_cost_of_counting_does_not_grow_with_what_has_started(make: Make, cluster: ClusterStandIn) -> None:
    """The API does not even list thousands of running and finished workflows."""
    cluster.seed(cluster.namespaces.middletier, 5000, "Succeeded")
    cluster.seed(cluster.namespaces.middletier, 1000, "Running")
    await schedule(make(limit=2))
    assert len(cluster.request_log.find("GET", CREATE)) == 1


async def test_while_waiting_is_entered_for_the_wait_only(make: Make, cluster: ClusterStandIn) -> None:
    """While a message waits for a permit, the engine gives its slot to another one."""
    cluster.seed(cluster.namespaces.middletier, 3)
    waiting: list[bool] = []

    @contextlib.asynccontextmanager
    async def while_waiting(_what: str) -> AsyncIterator[None]:
        waiting.append(True)
        cluster.reset()
        yield
        waiting.append(False)

    with bind_message("the message", while_waiting):
        await schedule(make(limit=1))
    assert waiting == [True, False]
