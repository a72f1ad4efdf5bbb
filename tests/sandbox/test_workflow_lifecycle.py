# SPDX-License-Identifier: GPL-3.0-or-later
"""The controller of the stand-in: what becomes of a workflow after it was created."""

import asyncio
import math

import pytest

from sandbox.workflow_lifecycle import Runner, WorkflowController, WorkflowLifecycle
from sandbox.workflow_store import CreatedWorkflow, WorkflowStore

HERE = "thoth-middletier"


@pytest.fixture
def store() -> WorkflowStore:
    """A store with one namespace."""
    return WorkflowStore([HERE])


def start(controller: WorkflowController, store: WorkflowStore, name: str) -> None:
    """Create a workflow and let the controller take it."""
    body = {"apiVersion": "argoproj.io/v1alpha1", "kind": "Workflow", "metadata": {"name": name}}
    controller.take(store.create(HERE, body))


async def settle() -> None:
    """Let everything happen that needs no time."""
    for _ in range(20):
        await asyncio.sleep(0)


def phases(store: WorkflowStore) -> dict[str, int]:
    """Count the workflows by phase."""
    return store.counts()[HERE]


async def test_without_a_life_a_workflow_stays_as_created(store: WorkflowStore) -> None:
    """Guarantee: a controller that is down gives no workflow a phase."""
    start(WorkflowController(store), store, "one")
    await settle()
    assert phases(store) == {"": 1}


async def test_a_workflow_may_stay_pending_for_ever(store: WorkflowStore) -> None:
    """Guarantee: an endless pending time leaves workflows Pending, without a start."""
    controller = WorkflowController(store, WorkflowLifecycle(pending=math.inf))
    start(controller, store, "one")
    await settle()
    assert phases(store) == {"Pending": 1}
    assert "startedAt" not in store.get(HERE, "one").body["status"]
    controller.drop_all()


async def test_a_workflow_runs_and_is_deleted(store: WorkflowStore) -> None:
    """Guarantee: the runner sees the workflow while it is Running; a time to be kept of 0 deletes it after the end."""
    seen: list[tuple[str, str | None]] = []

    async def run(workflow: CreatedWorkflow) -> None:
        seen.append((workflow.name, store.get(HERE, workflow.name).phase))
        await asyncio.sleep(0)

    start(WorkflowController(store, WorkflowLifecycle(kept=0), run), store, "one")
    await settle()
    assert seen == [("one", "Running")]
    assert phases(store) == {}


async def fail(workflow: CreatedWorkflow) -> None:
    """Fail as a workflow does whose last step exits with an error."""
    raise RuntimeError(f"no sources of {workflow.name}")


async def succeed(_: CreatedWorkflow) -> None:
    """Succeed."""


@pytest.mark.parametrize(("run", "phase"), [(succeed, "Succeeded"), (fail, "Failed"), (None, "Succeeded")])
async def test_the_runner_decides_how_a_workflow_ends(store: WorkflowStore, run: Runner | None, phase: str) -> None:
    """Guarantee: a runner that returns makes the workflow Succeeded, one that raises makes it Failed."""
    start(WorkflowController(store, WorkflowLifecycle(), run), store, "one")
    await settle()
    workflow = store.get(HERE, "one")
    assert workflow.phase == phase
    assert workflow.labels["workflows.argoproj.io/completed"] == "true"
    assert workflow.body["status"].get("message") == ("RuntimeError: no sources of one" if phase == "Failed" else None)


async def test_only_so_many_run_at_once(store: WorkflowStore) -> None:
    """Guarantee: parallelism is obeyed; those that must wait are Pending and start when a place is free."""
    door = asyncio.Event()

    async def run(_: CreatedWorkflow) -> None:
        await door.wait()

    controller = WorkflowController(store, WorkflowLifecycle(parallelism=2), run)
    for name in ("one", "two", "three"):
        start(controller, store, name)
        await settle()
    assert phases(store) == {"Running": 2, "Pending": 1}
    door.set()
    await settle()
    assert phases(store) == {"Succeeded": 3}


async def test_a_workflow_that_was_deleted_meanwhile_is_let_go(store: WorkflowStore) -> None:
    """Guarantee: a workflow deleted while it runs does not come back when it ends."""
    door = asyncio.Event()

    async def run(_: CreatedWorkflow) -> None:
        await door.wait()

    start(WorkflowController(store, WorkflowLifecycle(kept=0), run), store, "one")
    await settle()
    store.delete(store.get(HERE, "one"))
    door.set()
    await settle()
    assert phases(store) == {}
