# SPDX-License-Identifier: GPL-3.0-or-later
"""The workflow controller of the cluster stand-in: the phases of a workflow after its creation."""

import asyncio
import math

import pytest

from sandbox.workflow_lifecycle import Runner, WorkflowController, WorkflowLifecycle
from sandbox.workflow_store import CreatedWorkflow, WorkflowStore

NAMESPACE = "thoth-middletier"


@pytest.fixture
def store() -> WorkflowStore:
    """A store with one namespace."""
    return WorkflowStore([NAMESPACE])


def start(controller: WorkflowController, store: WorkflowStore, name: str) -> None:
    """Create a workflow and start its lifecycle."""
    body = {"apiVersion": "argoproj.io/v1alpha1", "kind": "Workflow", "metadata": {"name": name}}
    controller.start(store.create(NAMESPACE, body))


async def settle() -> None:
    """Let the event loop run everything that needs no time."""
    for _ in range(20):
        await asyncio.sleep(0)


def phases(store: WorkflowStore) -> dict[str, int]:
    """Return the number of workflows by phase."""
    return store.counts()[NAMESPACE]


async def test_without_a_lifecycle_a_workflow_stays_as_created(store: WorkflowStore) -> None:
    """While Argo's controller is unavailable, workflows get no phase."""
    start(WorkflowController(store), store, "one")
    await settle()
    assert phases(store) == {"": 1}


async def test_an_endless_pending_time_leaves_a_workflow_pending(store: WorkflowStore) -> None:
    """The workflow gets no startedAt."""
    controller = WorkflowController(store, WorkflowLifecycle(pending=math.inf))
    start(controller, store, "one")
    await settle()
    assert phases(store) == {"Pending": 1}
    assert "startedAt" not in store.get(NAMESPACE, "one").body["status"]
    controller.cancel_all()


async def test_a_workflow_runs_and_is_deleted_after_its_ttl(store: WorkflowStore) -> None:
    """The runner is called while the workflow is Running."""
    seen: list[tuple[str, str | None]] = []

    async def run(workflow: CreatedWorkflow) -> None:
        seen.append((workflow.name, store.get(NAMESPACE, workflow.name).phase))
        await asyncio.sleep(0)

    start(WorkflowController(store, WorkflowLifecycle(ttl=0), run), store, "one")
    await settle()
    assert seen == [("one", "Running")]
    assert phases(store) == {}


async def fail(workflow: CreatedWorkflow) -> None:
    """Fail like a workflow whose last step exits with an error."""
    raise RuntimeError(f"no sources of {workflow.name}")


async def succeed(_: CreatedWorkflow) -> None:
    """Succeed."""


@pytest.mark.parametrize(("run", "phase"), [(succeed, "Succeeded"), (fail, "Failed"), (None, "Succeeded")])
async def test_the_runner_decides_how_a_workflow_ends(store: WorkflowStore, run: Runner | None, phase: str) -> None:
    """If it returns, the workflow is Succeeded; if it raises, the workflow is Failed with the error as message."""
    start(WorkflowController(store, WorkflowLifecycle(), run), store, "one")
    await settle()
    workflow = store.get(NAMESPACE, "one")
    assert workflow.phase == phase
    assert workflow.labels["workflows.argoproj.io/completed"] == "true"
    assert workflow.body["status"].get("message") == ("RuntimeError: no sources of one" if phase == "Failed" else None)


async def test_parallelism_limits_the_running_workflows(store: WorkflowStore) -> None:
    """The others are Pending and start when a running one ends."""
    finish = asyncio.Event()

    async def run(_: CreatedWorkflow) -> None:
        await finish.wait()

    controller = WorkflowController(store, WorkflowLifecycle(parallelism=2), run)
    for name in ("one", "two", "three"):
        start(controller, store, name)
        await settle()
    assert phases(store) == {"Running": 2, "Pending": 1}
    finish.set()
    await settle()
    assert phases(store) == {"Succeeded": 3}


async def test_a_workflow_deleted_while_it_runs_does_not_return(store: WorkflowStore) -> None:
    """Its end changes nothing in the store."""
    finish = asyncio.Event()

    async def run(_: CreatedWorkflow) -> None:
        await finish.wait()

    start(WorkflowController(store, WorkflowLifecycle(ttl=0), run), store, "one")
    await settle()
    store.delete(store.get(NAMESPACE, "one"))
    finish.set()
    await settle()
    assert phases(store) == {}


async def test_without_nodes_a_workflow_is_running_and_its_pod_waits(store: WorkflowStore) -> None:
    """As Argo does: its controller sets the phase although no pod has started."""
    controller = WorkflowController(store, WorkflowLifecycle(unstarted=math.inf))
    start(controller, store, "one")
    await settle()
    assert phases(store) == {"Running": 1}
    assert [pod.phase for pod in store.pods.select(NAMESPACE)] == ["Pending"]
    controller.cancel_all()


async def test_pods_follow_their_workflow_and_are_deleted_with_it(store: WorkflowStore) -> None:
    """A pod ends as its workflow does."""
    controller = WorkflowController(store, WorkflowLifecycle())
    start(controller, store, "one")
    await settle()
    assert [pod.phase for pod in store.pods.select(NAMESPACE)] == ["Succeeded"]
    store.delete(store.get(NAMESPACE, "one"))
    assert store.pods.select(NAMESPACE) == []
