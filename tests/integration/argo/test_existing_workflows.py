# SPDX-License-Identifier: GPL-3.0-or-later
"""A workflow that exists counts as done only if it is the one that the message asks for."""

import logging
from typing import Any

import pytest

from investigator.argo.kinds import WorkflowKind
from investigator.argo.scheduler import WorkflowScheduler
from investigator.delivery.errors import PermanentError, TemporaryError
from investigator.delivery.origin import Origin
from sandbox.cluster import ClusterStandIn
from sandbox.faults import Effect, Fault
from tests.integration.argo.scheduling import CREATE, Make, origin, schedule
from tests.support.cluster_clients import ARGUMENTS

JOB_ID = "adviser-210601000000-4a0aff399024bd3d"
PREFIX = "investigator.thoth-station.ninja/"
NEIGHBOURS = [
    Origin(origin().topic, 0, 1, origin().timestamp_ms),
    Origin(origin().topic, 1, 0, origin().timestamp_ms),
    Origin(origin().topic, 0, 0, origin().timestamp_ms + 1),  # the topic was deleted and recreated
    Origin("test.thoth.repo-init", 0, 0, origin().timestamp_ms),
]
# Two kinds of one namespace: the name of a workflow is unique in its namespace.
OF_BACKEND: list[WorkflowKind] = ["adviser", "thoth-repo-init", "kebechet", "kebechet-run-url", "provenance-checker"]
every_neighbour = pytest.mark.parametrize("other", NEIGHBOURS, ids=str)


async def _schedule_for(message: Origin, scheduler: WorkflowScheduler, **options: Any) -> None:  # noqa: ANN401 - those of `schedule`
    given: dict[str, Any] = {"arguments": ARGUMENTS["adviser"], "job_id": JOB_ID, **options}
    await scheduler.schedule("adviser", message, base_name="thoth.adviser-trigger", **given)


def _gets(cluster: ClusterStandIn) -> int:
    return len(cluster.request_log.find("GET", "*/workflows/*"))


def _change_annotations(cluster: ClusterStandIn, *removed: str, **added: str) -> None:
    """Change annotations of the only workflow; each is named without its prefix, and * stands for all."""
    [workflow] = cluster.store.select(cluster.namespaces.backend)
    annotations = workflow.body["metadata"]["annotations"]
    for name in list(annotations):
        if "*" in removed or name.removeprefix(PREFIX) in removed:
            del annotations[name]
    annotations.update({f"{PREFIX}{name}": value for name, value in added.items()})


@every_neighbour
async def test_another_message_with_the_job_id_of_another_request_fails_and_names_the_owner(
    other: Origin, make: Make, cluster: ClusterStandIn
) -> None:
    """It is not done, and no later attempt would help."""
    await _schedule_for(other, make())
    different = {**ARGUMENTS["adviser"], "recommendation_type": "stable"}
    with pytest.raises(PermanentError, match="belongs to message") as caught:
        await _schedule_for(origin(), make(), arguments=different)
    assert f"{other} timestamp={other.timestamp_ms} message_type=thoth.adviser-trigger kind=adviser" in str(
        caught.value
    )
    assert len(cluster.created) == 1


@every_neighbour
async def test_another_message_with_the_same_job_id_and_request_is_a_duplicate(
    other: Origin, make: Make, cluster: ClusterStandIn, caplog: pytest.LogCaptureFixture
) -> None:
    """The log says so, and names the message that the workflow belongs to."""
    caplog.set_level(logging.INFO, "investigator")
    await _schedule_for(other, make())
    await _schedule_for(origin(), make())
    assert len(cluster.created) == 1
    assert "result=duplicate" in caplog.text
    assert f"owner=message {other} " in caplog.text


@pytest.mark.parametrize("second", OF_BACKEND)
@pytest.mark.parametrize("first", OF_BACKEND)
async def test_two_kinds_of_workflow_with_one_job_id_are_two_requests(
    first: WorkflowKind, second: WorkflowKind, make: Make, cluster: ClusterStandIn
) -> None:
    """Also if one message asked for both."""
    scheduler = make()
    await schedule(scheduler, first, job_id=JOB_ID)
    if first == second:
        await schedule(scheduler, second, job_id=JOB_ID)
    else:
        with pytest.raises(PermanentError, match=f"belongs to message .* kind={first}"):
            await schedule(scheduler, second, job_id=JOB_ID)
    assert len(cluster.created) == 1


async def test_a_job_id_that_copies_a_derived_id_does_not_hide_a_message(make: Make, cluster: ClusterStandIn) -> None:
    """The derived id is no proof if the annotations name another message."""
    await _schedule_for(origin(), make(), job_id="")
    [workflow] = cluster.created
    cluster.delete(workflow.namespace, workflow.name)
    await _schedule_for(NEIGHBOURS[0], make(), job_id=workflow.name)
    with pytest.raises(PermanentError, match="belongs to message"):
        await _schedule_for(origin(), make(), job_id="")


@pytest.mark.parametrize("job_id", ["", JOB_ID])
@pytest.mark.parametrize("removed", [(), ("timestamp",), ("timestamp", "workflow-type", "parameters-digest"), ("*",)])
async def test_a_repetition_of_a_message_is_done_also_after_an_upgrade(
    removed: tuple[str, ...], job_id: str, make: Make, cluster: ClusterStandIn
) -> None:
    """An earlier release wrote fewer annotations or none; the repetition costs one request more."""
    await _schedule_for(origin(), make(), job_id=job_id)
    _change_annotations(cluster, *removed)
    await _schedule_for(origin(), make(), job_id=job_id)
    assert len(cluster.created) == 1
    assert _gets(cluster) == 1


async def test_a_job_id_without_annotations_is_no_proof(make: Make, cluster: ClusterStandIn) -> None:
    """Another component has created a workflow of that name that does something else."""
    await _schedule_for(origin(), make())
    _change_annotations(cluster, "*")
    different = {**ARGUMENTS["adviser"], "recommendation_type": "stable"}
    with pytest.raises(PermanentError, match="belongs to another component"):
        await _schedule_for(origin(), make(), arguments=different)


async def test_a_derived_id_without_annotations_is_proof(make: Make, cluster: ClusterStandIn) -> None:
    """It contains the hash of the message; a template may have changed since."""
    await _schedule_for(origin(), make(), job_id="")
    _change_annotations(cluster, "*")
    await _schedule_for(origin(), make(), job_id="", arguments={**ARGUMENTS["adviser"], "debug": True})
    assert len(cluster.created) == 1


async def test_a_creation_costs_no_look_up(make: Make, cluster: ClusterStandIn) -> None:
    """Only a workflow that exists is looked up."""
    await _schedule_for(origin(), make())
    assert _gets(cluster) == 0


@pytest.mark.parametrize("disguise", ["empty success", "page of a login", "success cut off"])
async def test_an_odd_answer_does_not_hide_the_workflow_of_another_request(
    disguise: str, make: Make, cluster: ClusterStandIn
) -> None:
    """A look-up after an odd answer compares as well."""
    await schedule(make(), "thoth-repo-init", job_id=JOB_ID)
    cluster.faults.set(Fault(effect="disguise", answer=disguise, method="POST", path=CREATE))
    with pytest.raises(PermanentError, match="kind=thoth-repo-init"):
        await schedule(make(), "adviser", offset=1, job_id=JOB_ID)


@pytest.mark.parametrize("effect", ["reset", "status"])
async def test_a_look_up_that_fails_is_no_success(effect: Effect, make: Make, cluster: ClusterStandIn) -> None:
    """The message is not done, and fails not permanently."""
    await _schedule_for(origin(), make())
    cluster.faults.set(Fault(effect=effect, method="GET", path="*/workflows/*", count=1))
    await _schedule_for(origin(), make())
    assert _gets(cluster) == 2


async def test_a_workflow_that_is_deleted_before_the_look_up_is_no_success(make: Make, cluster: ClusterStandIn) -> None:
    """Nothing shows whose it was, so the message is attempted again."""
    cluster.faults.set(Fault(effect="answer", answer="workflow exists", method="POST", path=CREATE))
    with pytest.raises(TemporaryError, match="a workflow of this name exists"):
        await _schedule_for(origin(), make(max_attempts=1))
    cluster.faults.clear()
    await _schedule_for(origin(), make())
    assert len(cluster.created) == 1
