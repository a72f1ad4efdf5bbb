# SPDX-License-Identifier: GPL-3.0-or-later
"""Every kind of workflow under its id, in its namespace, once."""

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
async def test_every_kind_goes_to_its_namespace_under_its_id(
    kind: WorkflowKind, make: Make, cluster: ClusterStandIn
) -> None:
    """The id has the prefix that other components expect, and the namespace is the one that the kind runs in."""
    await schedule(make(), kind)
    created = cluster.created[0]
    assert created.namespace == getattr(cluster.namespaces, WORKFLOW_KINDS[kind].namespace)
    assert created.name == workflow_id(WORKFLOW_KINDS[kind].prefix or "solver-rhel-8-py38", origin())
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
    assert (counted(metrics, "scheduled_workflows"), counted(metrics, "deduplicated_workflows")) == (1, 1)


async def test_steps_of_one_message_are_workflows_of_their_own(make: Make, cluster: ClusterStandIn) -> None:
    """A message may ask for several workflows of one kind."""
    workflows = make()
    await asyncio.gather(*(schedule(workflows, step=f"flask==={number}") for number in range(5)))
    assert len({created.name for created in cluster.created}) == 5


async def test_solver_names_come_from_the_cluster(make: Make, cluster: ClusterStandIn) -> None:
    """They are asked for off the event loop, with the same retries as everything else."""
    cluster.faults.set(Fault(effect="reset", count=1))
    assert await make().solver_names() == cluster.solvers


async def test_the_log_leads_from_message_to_workflow(make: Make, caplog: pytest.LogCaptureFixture) -> None:
    """One line says which workflow was created for which message."""
    caplog.set_level(logging.INFO, "investigator")
    await schedule(make())
    assert f"{workflow_id('solver-rhel-8-py38', origin())} for test.{BASE_NAME}[0]@0: created" in caplog.text
