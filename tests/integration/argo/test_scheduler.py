# SPDX-License-Identifier: GPL-3.0-or-later
"""Each kind of workflow is created once, with its id, in its namespace."""

import asyncio
import logging

import pytest

from investigator.argo.ids import workflow_id
from investigator.argo.kinds import WORKFLOW_KINDS, WorkflowKind
from investigator.observability.metrics import Metrics
from sandbox.cluster import ClusterStandIn
from sandbox.faults import Fault
from tests.integration.argo.scheduling import BASE_NAME, Make, counted, origin, schedule


@pytest.mark.parametrize("kind", WORKFLOW_KINDS)
async def test_every_kind_has_its_namespace_and_id(kind: WorkflowKind, make: Make, cluster: ClusterStandIn) -> None:
    """The id has the prefix that other components expect."""
    await schedule(make(), kind)
    created = cluster.created[0]
    assert created.namespace == getattr(cluster.namespaces, WORKFLOW_KINDS[kind].namespace)
    assert created.name == workflow_id(WORKFLOW_KINDS[kind].prefix or "solver-rhel-8-py38", origin())
    assert created.annotations["investigator.thoth-station.ninja/topic"] == origin().topic


async def test_a_message_may_contain_the_id(make: Make, cluster: ClusterStandIn) -> None:
    """The workflow's name is the sender's job id, unless that is empty."""
    scheduler = make()
    await schedule(scheduler, "adviser", job_id="adviser-220101000000-0123456789abcdef")
    await schedule(scheduler, "adviser", job_id="")
    names = [created.name for created in cluster.created]
    assert names == ["adviser-220101000000-0123456789abcdef", workflow_id("adviser", origin())]


async def test_a_repetition_schedules_nothing_and_is_counted(
    make: Make, cluster: ClusterStandIn, metrics: Metrics
) -> None:
    """Another delivery of the message, to this worker or another, succeeds and creates nothing."""
    await schedule(make())
    await schedule(make())
    assert len(cluster.created) == 1
    assert (counted(metrics, "scheduled_workflows"), counted(metrics, "deduplicated_workflows")) == (1, 1)


async def test_each_step_of_a_message_has_its_own_workflow(make: Make, cluster: ClusterStandIn) -> None:
    """A message may request several workflows of one kind."""
    scheduler = make()
    await asyncio.gather(*(schedule(scheduler, step=f"flask==={number}") for number in range(5)))
    assert len({created.name for created in cluster.created}) == 5


async def test_solver_names_come_from_the_cluster(make: Make, cluster: ClusterStandIn) -> None:
    """The request has the same retries as every call."""
    cluster.faults.set(Fault(effect="reset", count=1))
    assert await make().solver_names() == cluster.solvers


async def test_the_log_has_the_workflow_of_a_message(make: Make, caplog: pytest.LogCaptureFixture) -> None:
    """One line has both the workflow's name and the message's origin."""
    caplog.set_level(logging.INFO, "investigator")
    await schedule(make())
    name = workflow_id("solver-rhel-8-py38", origin())
    assert f"kind=solver name={name} message=test.{BASE_NAME}[0]@0 result=created" in caplog.text
