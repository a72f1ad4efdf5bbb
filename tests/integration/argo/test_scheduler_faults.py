# SPDX-License-Identifier: GPL-3.0-or-later
"""Exactly once, whatever goes wrong with the API."""

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
from investigator.resilience.breaker import Breaker
from sandbox.cluster import ClusterStandIn
from sandbox.faults import Fault
from tests.integration.argo.scheduling import CREATE, Make, attempts, counted, origin, schedule
from tests.support.cluster_clients import ARGUMENTS


async def test_a_lost_reply_creates_no_second_workflow(make: Make, cluster: ClusterStandIn, metrics: Metrics) -> None:
    """When the connection breaks after the creation, the repetition finds the workflow, which counts as scheduled."""
    cluster.faults.set(Fault(effect="lost", method="POST", path=CREATE, count=1))
    await schedule(make())
    assert len(cluster.created) == 1
    assert (counted(metrics, "scheduled_workflows"), counted(metrics, "deduplicated_workflows")) == (1, 1)


@pytest.mark.parametrize("effect", ["status", "reset", "lost"])
async def test_half_of_all_calls_failing_costs_no_message_its_workflow(
    effect: str, make: Make, cluster: ClusterStandIn
) -> None:
    """With the attempts that the engine gives each message, every workflow is there, and is there once."""
    fault = Fault(effect=effect, probability=0.5)  # type: ignore[arg-type]  # one of the effects
    cluster.faults.set(fault)
    workflows = make(timeout=5.0)
    ends = await asyncio.gather(*(attempts(workflows, offset=number) for number in range(50)))
    assert ends.count(1) > 25  # most messages have noticed nothing
    assert sorted(created.name for created in cluster.created) == sorted(
        workflow_id("solver-rhel-8-py38", origin(number)) for number in range(50)
    )


async def test_a_throttling_api_is_left_alone_as_long_as_it_asks(make: Make, cluster: ClusterStandIn) -> None:
    """A short Retry-After is waited for."""
    cluster.faults.set(Fault(effect="status", status=429, retry_after=1, method="POST", path=CREATE, count=1))
    await schedule(make())
    first, second = cluster.request_log.find("POST", CREATE)
    assert second.started - first.started >= 1


async def test_a_long_retry_after_goes_to_the_engine(make: Make, cluster: ClusterStandIn) -> None:
    """What is too long for a quick retry is told to the caller, with the seconds."""
    cluster.faults.set(Fault(effect="status", status=503, retry_after=30, method="POST", path=CREATE))
    with pytest.raises(TemporaryError) as caught:
        await schedule(make())
    assert caught.value.delay == 30
    assert len(cluster.request_log.find("POST", CREATE)) == 1


@pytest.mark.parametrize("status", [400, 403, 404, 422])
async def test_a_refusal_is_permanent_and_not_repeated(status: int, make: Make, cluster: ClusterStandIn) -> None:
    """What the cluster will never take is not sent again."""
    cluster.faults.set(Fault(effect="status", status=status, method="POST", path=CREATE))
    with pytest.raises(PermanentError, match=str(status)):
        await schedule(make())
    assert len(cluster.request_log.find("POST", CREATE)) == 1


async def test_arguments_that_thoth_common_refuses_are_permanent(make: Make, cluster: ClusterStandIn) -> None:
    """Bad input is found without asking the cluster, and told with its reason."""
    workflows = make()
    bad = {**ARGUMENTS["package-extract"], "environment_type": "imaginary"}
    with pytest.raises(PermanentError, match="environment type") as caught:
        await schedule(workflows, "package-extract", arguments=bad)
    assert isinstance(caught.value.__cause__, ValueError)
    with pytest.raises(PermanentError, match="BOT"):
        await schedule(workflows, "adviser", arguments={"recommendation_type": "latest", "source_type": "BOT"})
    assert cluster.created == []


async def test_a_call_that_hangs_does_not_stop_the_event_loop(make: Make, cluster: ClusterStandIn) -> None:
    """While every call waits for a dead server, the loop goes on with everything else."""
    cluster.faults.set(Fault(effect="hang"))
    workflows = make()
    calls = [asyncio.create_task(schedule(workflows, offset=number)) for number in range(20)]
    longest = 0.0
    for _ in range(60):
        before = time.monotonic()
        await asyncio.sleep(0.01)
        longest = max(longest, time.monotonic() - before)
    assert longest < 0.1
    cluster.faults.clear()
    await asyncio.gather(*calls)


async def test_an_outage_is_waited_out(make: Make, cluster: ClusterStandIn, breaker: Breaker) -> None:
    """Messages that come by while the API is down are held back, and go on by themselves after it."""
    cluster.faults.set(Fault(effect="reset"))
    workflows = make()
    calls = [asyncio.create_task(schedule(workflows, offset=number)) for number in range(30)]
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
            PermanentError("the workflow cannot be made of this message: SolverNameParseError: odd"),
        ),
    ],
)
def test_errors_are_told_apart(error: Exception, expected: PermanentError | TemporaryError) -> None:
    """Handlers see whether another attempt may help, how soon, and whether everybody is concerned."""
    mapped = cluster_error(error)
    assert (type(mapped), str(mapped), vars(mapped)) == (type(expected), str(expected), vars(expected))


def test_an_unknown_error_stays_what_it_is() -> None:
    """A defect of ours is not dressed up as somebody else's trouble."""
    error = AssertionError("ours")
    assert cluster_error(error) is error
