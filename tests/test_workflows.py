# SPDX-License-Identifier: GPL-3.0-or-later
"""Scheduling workflows over the stand-in of the cluster: exactly once, whatever goes wrong."""

import asyncio
import contextlib
import itertools
import logging
import time
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import urllib3.exceptions
from prometheus_client import CollectorRegistry
from thoth.common.exceptions import SolverNameParseError

from investigator.calls import CallPolicy
from investigator.cluster import ClusterPolicy, TemplateError
from investigator.cluster_api import ApiError
from investigator.delivery.breaker import Breaker
from investigator.delivery.errors import PermanentError, TemporaryError, UnavailableError
from investigator.delivery.origin import Origin
from investigator.ids import workflow_id
from investigator.metrics import Metrics
from investigator.pending import PendingPolicy
from investigator.workflows import KINDS, Kind, WorkflowPolicy, Workflows, cluster_error
from sandbox.cluster import ClusterStandIn
from sandbox.faults import Fault
from sandbox.life import Life
from sandbox.workflow_store import Workflow
from tests.cluster_clients import ARGUMENTS, cluster_client

BASE_NAME = "thoth.package-release.package-released"
CREATE = "*/workflows"

Make = Callable[..., Workflows]


def origin(offset: int = 0) -> Origin:
    """Give a message's origin."""
    return Origin(f"test.{BASE_NAME}", 0, offset, 1_622_505_600_000)


@pytest.fixture
def metrics() -> Metrics:
    """Metrics of the test's own."""
    return Metrics(CollectorRegistry())


@pytest.fixture
def breaker() -> Breaker:
    """A closed breaker."""
    return Breaker("cluster")


@pytest.fixture
def make(
    cluster: ClusterStandIn,
    cluster_environment: dict[str, str],
    tmp_path: Path,
    metrics: Metrics,
    breaker: Breaker,
) -> Iterator[Make]:
    """Make workflows over the stand-in; they are closed after the test."""
    del cluster_environment  # thoth-common reads it
    made: list[Workflows] = []

    def make(*, limit: int | None = None, every: float = 0.05, tries: int = 6, timeout: float = 0.3) -> Workflows:
        client = cluster_client(cluster, tmp_path, ClusterPolicy(connections=20, timeout=timeout))
        policy = WorkflowPolicy(CallPolicy(20, budget=2.0, tries=tries), PendingPolicy(limit, every))
        made.append(Workflows(client, policy, metrics, breaker))
        return made[-1]

    yield make
    for workflows in made:
        workflows.close()


async def schedule(workflows: Workflows, kind: Kind = "solver", offset: int = 0, **options: object) -> None:
    """Schedule a workflow of that kind for the message at that offset."""
    arguments = {"base_name": BASE_NAME, "arguments": ARGUMENTS[kind], **options}
    await workflows.schedule(kind, origin(offset), **arguments)  # type: ignore[arg-type]  # options are the test's


async def attempts(workflows: Workflows, offset: int) -> int:
    """Schedule a workflow as the engine has it done, in at most five attempts; tells how many it took."""
    for number in range(1, 5):
        with contextlib.suppress(TemporaryError):
            await schedule(workflows, offset=offset)
            return number
    await schedule(workflows, offset=offset)
    return 5


def counted(metrics: Metrics, name: str, kind: Kind = "solver") -> float:
    """Read a counter of workflows."""
    labels = {"message_type": BASE_NAME, "workflow_type": kind}
    return metrics.registry.get_sample_value(f"thoth_investigator_{name}_total", labels) or 0.0


@pytest.mark.parametrize("kind", KINDS)
async def test_every_kind_goes_to_its_namespace_under_its_id(kind: Kind, make: Make, cluster: ClusterStandIn) -> None:
    """The id has the prefix that other components expect, and the namespace is the one that the kind runs in."""
    await schedule(make(), kind)
    created = cluster.created[0]
    assert created.namespace == getattr(cluster.namespaces, KINDS[kind].namespace)
    assert created.name == workflow_id(KINDS[kind].prefix or "solver-rhel-8-py38", origin())
    assert created.annotations["investigator.thoth-station.ninja/topic"] == origin().topic


async def test_the_message_may_bring_the_id(make: Make, cluster: ClusterStandIn) -> None:
    """A job id that the sender chose is the workflow's name; an empty one counts as none."""
    workflows = make()
    await schedule(workflows, "adviser", job_id="adviser-220101000000-0123456789abcdef")
    await schedule(workflows, "adviser", job_id="")
    names = [created.name for created in cluster.created]
    assert names == ["adviser-220101000000-0123456789abcdef", workflow_id("adviser", origin())]


async def test_a_repetition_schedules_nothing_and_is_counted(
    make: Make, cluster: ClusterStandIn, metrics: Metrics
) -> None:
    """The same message again, on this worker or another, ends well and leaves one workflow."""
    await schedule(make())
    await schedule(make())
    assert len(cluster.created) == 1
    assert (counted(metrics, "scheduled_workflows"), counted(metrics, "deduplicated")) == (1, 1)


async def test_steps_of_one_message_are_workflows_of_their_own(make: Make, cluster: ClusterStandIn) -> None:
    """A message may ask for several workflows of one kind."""
    workflows = make()
    await asyncio.gather(*(schedule(workflows, step=f"flask==={number}") for number in range(5)))
    assert len({created.name for created in cluster.created}) == 5


async def test_a_lost_reply_creates_no_second_workflow(make: Make, cluster: ClusterStandIn, metrics: Metrics) -> None:
    """When the connection breaks after the creation, the repetition finds the workflow, which counts as scheduled."""
    cluster.faults.set(Fault(effect="lost", method="POST", path=CREATE, count=1))
    await schedule(make())
    assert len(cluster.created) == 1
    assert (counted(metrics, "scheduled_workflows"), counted(metrics, "deduplicated")) == (1, 1)


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
    first, second = cluster.journal.find("POST", CREATE)
    assert second.started - first.started >= 1


async def test_a_long_retry_after_goes_to_the_engine(make: Make, cluster: ClusterStandIn) -> None:
    """What is too long for a quick retry is told to the caller, with the seconds."""
    cluster.faults.set(Fault(effect="status", status=503, retry_after=30, method="POST", path=CREATE))
    with pytest.raises(TemporaryError) as caught:
        await schedule(make())
    assert caught.value.delay == 30
    assert len(cluster.journal.find("POST", CREATE)) == 1


@pytest.mark.parametrize("status", [400, 403, 404, 422])
async def test_a_refusal_is_permanent_and_not_repeated(status: int, make: Make, cluster: ClusterStandIn) -> None:
    """What the cluster will never take is not sent again."""
    cluster.faults.set(Fault(effect="status", status=status, method="POST", path=CREATE))
    with pytest.raises(PermanentError, match=str(status)):
        await schedule(make())
    assert len(cluster.journal.find("POST", CREATE)) == 1


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


async def test_the_limit_is_not_overshot_by_handlers_side_by_side(
    make: Make, cluster: ClusterStandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At no creation are there more pending workflows than the limit says; nothing is counted more often than asked."""
    seen: list[int] = []
    namespace = cluster.namespaces.middletier
    store_create = cluster.store.create

    def create(place: str, body: dict[str, Any]) -> Workflow:
        counts = cluster.store.counts()[namespace]
        seen.append(counts.get("", 0) + counts.get("Pending", 0))
        return store_create(place, body)

    monkeypatch.setattr(cluster.store, "create", create)
    cluster.controller.life = Life(pending=0.1, running=1000)
    workflows = make(limit=4, every=0.1)
    await asyncio.gather(*(schedule(workflows, offset=number) for number in range(25)))
    assert len(seen) == 25
    assert max(seen) <= 4
    counts = cluster.journal.find("GET", CREATE)
    assert all(after.started - before.started >= 0.1 for before, after in itertools.pairwise(counts))


async def test_each_namespace_has_its_own_budget(make: Make, cluster: ClusterStandIn, metrics: Metrics) -> None:
    """A full middletier holds no user's request up, and the gauges say which namespace is full."""
    cluster.seed(cluster.namespaces.middletier, 10)
    workflows = make(limit=2)
    bulk = asyncio.create_task(schedule(workflows, "solver"))
    await schedule(workflows, "adviser")
    await asyncio.sleep(0.2)
    assert not bulk.done()
    bulk.cancel()
    shown = metrics.pending_workflows.labels(namespace=cluster.namespaces.middletier)._value.get()
    limit = metrics.pending_workflow_limit.labels(namespace=cluster.namespaces.middletier)._value.get()
    assert (shown, limit) == (10, 2)


async def test_the_cost_of_counting_does_not_grow_with_what_has_started(make: Make, cluster: ClusterStandIn) -> None:
    """Thousands of running and finished workflows are not even listed."""
    cluster.seed(cluster.namespaces.middletier, 5000, "Succeeded")
    cluster.seed(cluster.namespaces.middletier, 1000, "Running")
    await schedule(make(limit=2))
    assert len(cluster.journal.find("GET", CREATE)) == 1


async def test_the_caller_hears_when_it_only_waits(make: Make, cluster: ClusterStandIn) -> None:
    """While a message waits for a place, the engine may give its slot to another one."""
    cluster.seed(cluster.namespaces.middletier, 3)
    waiting: list[bool] = []

    @contextlib.asynccontextmanager
    async def while_waiting() -> AsyncIterator[None]:
        waiting.append(True)
        cluster.reset()
        yield
        waiting.append(False)

    await schedule(make(limit=1), while_waiting=while_waiting)
    assert waiting == [True, False]


async def test_solver_names_come_from_the_cluster(make: Make, cluster: ClusterStandIn) -> None:
    """They are asked for off the event loop, with the same retries as everything else."""
    cluster.faults.set(Fault(effect="reset", count=1))
    assert await make().solver_names() == cluster.solvers


async def test_the_log_leads_from_message_to_workflow(make: Make, caplog: pytest.LogCaptureFixture) -> None:
    """One line says which workflow was created for which message."""
    caplog.set_level(logging.INFO, "investigator")
    await schedule(make())
    assert f"{workflow_id('solver-rhel-8-py38', origin())} for test.{BASE_NAME}[0]@0: created" in caplog.text


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
