# SPDX-License-Identifier: GPL-3.0-or-later
"""A workflow is created exactly once, whatever errors the API has."""

import asyncio
import time

import pytest

from investigator.argo.ids import workflow_id
from investigator.delivery.errors import PermanentError
from investigator.observability.metrics import Metrics
from investigator.resilience.breaker_group import BreakerGroup
from sandbox.cluster import ClusterStandIn
from sandbox.faults import Fault
from tests.integration.argo.scheduling import CREATE, Make, attempts, counted, origin, schedule
from tests.support.cluster_clients import ARGUMENTS


async def test_a_lost_response_creates_no_second_workflow(
    make: Make, cluster: ClusterStandIn, metrics: Metrics
) -> None:
    """If the connection breaks after the creation, the retry finds the workflow, which counts as scheduled."""
    cluster.faults.set(Fault(effect="lost", method="POST", path=CREATE, count=1))
    await schedule(make())
    assert len(cluster.created) == 1
    assert (counted(metrics, "scheduled_workflows"), counted(metrics, "deduplicated_workflows")) == (1, 1)


@pytest.mark.parametrize("effect", ["status", "reset", "lost"])
async def test_every_workflow_is_created_once_if_half_of_all_calls_fail(
    effect: str, make: Make, cluster: ClusterStandIn
) -> None:
    """The engine attempts each message at most five times."""
    fault = Fault(effect=effect, probability=0.5)  # type: ignore[arg-type]  # one of the effects
    cluster.faults.set(fault)
    scheduler = make(timeout=5.0)
    needed = await asyncio.gather(*(attempts(scheduler, offset=number) for number in range(50)))
    assert needed.count(1) > 25  # most messages need one attempt
    assert sorted(created.name for created in cluster.created) == sorted(
        workflow_id("solver-rhel-8-py38", origin(number)) for number in range(50)
    )


async def test_a_short_retry_after_is_obeyed(make: Make, cluster: ClusterStandIn) -> None:
    """The quick retry waits for that long."""
    cluster.faults.set(Fault(effect="status", status=429, retry_after=1, method="POST", path=CREATE, count=1))
    await schedule(make())
    first, second = cluster.request_log.find("POST", CREATE)
    assert second.started - first.started >= 1


async def test_a_long_retry_after_delays_a_lone_call_and_is_no_failure(
    make: Make, cluster: ClusterStandIn, breaker: BreakerGroup
) -> None:
    """The call waits in the breaker of its operation; the next request is a probe after that time."""
    cluster.faults.set(Fault(effect="status", status=503, retry_after=3, method="POST", path=CREATE, count=1))
    await schedule(make(), kind="adviser")
    first, second = cluster.request_log.find("POST", CREATE)
    assert second.started - first.started >= 3
    assert not breaker.view.operations
    assert len(cluster.created) == 1


async def test_arguments_that_thoth_common_refuses_are_a_permanent_error(make: Make, cluster: ClusterStandIn) -> None:
    """The error has the reason; no request reaches the cluster."""
    scheduler = make()
    invalid = {**ARGUMENTS["package-extract"], "environment_type": "imaginary"}
    with pytest.raises(PermanentError, match="environment type") as caught:
        await schedule(scheduler, "package-extract", arguments=invalid)
    assert isinstance(caught.value.__cause__, ValueError)
    with pytest.raises(PermanentError, match="BOT"):
        await schedule(scheduler, "adviser", arguments={"recommendation_type": "latest", "source_type": "BOT"})
    assert cluster.created == []


async def test_a_call_that_hangs_does_not_stop_the_event_loop(make: Make, cluster: ClusterStandIn) -> None:
    """The loop runs other tasks while every call waits for a dead server; it would stop until the calls time out."""
    timeout = 3.0
    cluster.faults.set(Fault(effect="hang"))
    scheduler = make(timeout=timeout)
    calls = [asyncio.create_task(schedule(scheduler, offset=number)) for number in range(20)]
    longest = 0.0
    for _ in range(60):
        before = time.monotonic()
        await asyncio.sleep(0.01)
        longest = max(longest, time.monotonic() - before)
    assert longest < timeout
    cluster.faults.clear()
    await asyncio.gather(*calls)


async def test_calls_wait_until_an_outage_is_over(make: Make, cluster: ClusterStandIn, breaker: BreakerGroup) -> None:
    """The breaker holds calls back while the API is unavailable, and releases them afterwards."""
    cluster.faults.set(Fault(effect="reset"))
    scheduler = make()
    calls = [asyncio.create_task(schedule(scheduler, offset=number)) for number in range(30)]
    await asyncio.sleep(0.8)
    assert breaker.view.is_open
    assert not any(call.done() for call in calls)
    cluster.faults.clear()
    await asyncio.gather(*calls)
    assert len(cluster.created) == 30
