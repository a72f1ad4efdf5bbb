# SPDX-License-Identifier: GPL-3.0-or-later
"""A workflow is created exactly once, whatever errors the API has."""

import asyncio
import time

import pytest
import urllib3.exceptions
from thoth.common.exceptions import SolverNameParseError

from investigator.argo.client import TemplateError
from investigator.argo.http import ApiError
from investigator.argo.ids import workflow_id
from investigator.argo.scheduler import cluster_error
from investigator.delivery.errors import PermanentError, TemporaryError, UnavailableError
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


async def test_a_long_retry_after_reaches_the_engine(make: Make, cluster: ClusterStandIn) -> None:
    """The error has the seconds, which are too many for a quick retry."""
    cluster.faults.set(Fault(effect="status", status=503, retry_after=30, method="POST", path=CREATE))
    with pytest.raises(TemporaryError) as caught:
        await schedule(make())
    assert caught.value.delay == 30
    assert len(cluster.request_log.find("POST", CREATE)) == 1


@pytest.mark.parametrize("status", [400, 403, 404, 422])
async def test_a_refusal_is_permanent_and_not_repeated(status: int, make: Make, cluster: ClusterStandIn) -> None:
    """No quick retry follows."""
    cluster.faults.set(Fault(effect="status", status=status, method="POST", path=CREATE))
    with pytest.raises(PermanentError, match=str(status)):
        await schedule(make())
    assert len(cluster.request_log.find("POST", CREATE)) == 1


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
    """The loop runs other tasks while every call waits for a dead server."""
    cluster.faults.set(Fault(effect="hang"))
    scheduler = make()
    calls = [asyncio.create_task(schedule(scheduler, offset=number)) for number in range(20)]
    longest = 0.0
    for _ in range(60):
        before = time.monotonic()
        await asyncio.sleep(0.01)
        longest = max(longest, time.monotonic() - before)
    assert longest < 0.1
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


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (ApiError("GET /", 500, "oops"), TemporaryError("GET /: 500 oops")),
        (ApiError("GET /", 200, "no JSON"), TemporaryError("GET /: 200 no JSON")),
        (ApiError("GET /", 401, "who?"), TemporaryError("GET /: 401 who?")),
        (ApiError("GET /", 413, "too large"), PermanentError("GET /: 413 too large")),
        (ApiError("GET /", 429, "slow down", retry_after=2), UnavailableError("GET /: 429 slow down", delay=2)),
        (ApiError("GET /", 504, "gateway"), UnavailableError("GET /: 504 gateway")),
        (urllib3.exceptions.ProtocolError("reset"), UnavailableError("the cluster's API does not answer: reset")),
        (TemplateError("0 templates"), TemporaryError("0 templates")),
        (PermissionError("token"), TemporaryError("token")),
        (
            SolverNameParseError("odd"),
            PermanentError("the message does not make a valid workflow: SolverNameParseError: odd"),
        ),
    ],
)
def test_errors_are_mapped_to_those_of_handlers(error: Exception, expected: PermanentError | TemporaryError) -> None:
    """The type says whether another attempt may succeed and whether the API is unavailable; the delay is the API's."""
    mapped = cluster_error(error)
    assert (type(mapped), str(mapped), vars(mapped)) == (type(expected), str(expected), vars(expected))


def test_an_unknown_error_is_not_mapped() -> None:
    """A defect of the worker must not look like an error of the cluster."""
    error = AssertionError("ours")
    assert cluster_error(error) is error
