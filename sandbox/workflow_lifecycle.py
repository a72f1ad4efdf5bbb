# SPDX-License-Identifier: GPL-3.0-or-later
"""The life of a workflow, as Argo's controller leads it: Pending, Running, Succeeded or Failed, deleted."""

import asyncio
import inspect
from collections.abc import Awaitable, Callable
from contextlib import nullcontext
from dataclasses import dataclass

from sandbox.workflow_store import CreatedWorkflow, Workflow, WorkflowStore

__all__ = ["Runner", "WorkflowController", "WorkflowLifecycle"]

Runner = Callable[[CreatedWorkflow], Awaitable[None] | None]


@dataclass(frozen=True, kw_only=True)
class WorkflowLifecycle:
    """How long the phases last, in seconds, and how many workflows of a namespace run at once.

    `WorkflowLifecycle(pending=math.inf)` lets workflows stay Pending. No life at all (None instead of a Life) leaves them as
    created, without a phase, as a controller that is down does.
    """

    pending: float = 0.0
    running: float = 0.0
    kept: float | None = None  # after the end; None keeps a finished workflow until somebody deletes it
    parallelism: int | None = None  # None: all of them


class WorkflowController:
    """Leads the workflows through their lives, on the event loop on which they are taken.

    `run` is called when a workflow starts, on that loop if it is a coroutine function, otherwise in a thread; the
    workflow succeeds when it returns and fails, with the error as its message, when it raises.
    """

    def __init__(self, store: WorkflowStore, life: WorkflowLifecycle | None = None, run: Runner | None = None) -> None:
        """Lead the workflows of that store; life and runner may be changed for the workflows to come."""
        self._store = store
        self.life = life
        self.run = run
        self._tasks: set[asyncio.Task[None]] = set()
        self._places: dict[tuple[str, WorkflowLifecycle], asyncio.Semaphore] = {}

    def take(self, workflow: Workflow) -> None:
        """Lead a new workflow through its life from now on."""
        if self.life is not None:
            task = asyncio.get_running_loop().create_task(self._lead(workflow, self.life))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    def drop_all(self) -> None:
        """Leave all workflows in the phases in which they are."""
        for task in list(self._tasks):
            task.cancel()
        self._places.clear()

    async def _lead(self, workflow: Workflow, life: WorkflowLifecycle) -> None:
        places = self._places_of(workflow.record.namespace, life)
        if life.pending or (places and places.locked()):
            self._store.set_phase(workflow, "Pending")
        await asyncio.sleep(life.pending)
        async with places or nullcontext():
            await self._work(workflow, life)
        if life.kept is not None:
            await asyncio.sleep(life.kept)
            self._store.delete(workflow)

    def _places_of(self, namespace: str, life: WorkflowLifecycle) -> asyncio.Semaphore | None:
        if life.parallelism is None:
            return None
        return self._places.setdefault((namespace, life), asyncio.Semaphore(life.parallelism))

    async def _work(self, workflow: Workflow, life: WorkflowLifecycle) -> None:
        self._store.set_phase(workflow, "Running")
        try:
            await asyncio.sleep(life.running)
            await self._call_runner(workflow.record)
        except Exception as error:  # noqa: BLE001 - whatever goes wrong in a workflow is a failed workflow
            self._store.set_phase(workflow, "Failed", f"{type(error).__name__}: {error}")
        else:
            self._store.set_phase(workflow, "Succeeded")

    async def _call_runner(self, record: CreatedWorkflow) -> None:
        if self.run is None:
            return
        if inspect.iscoroutinefunction(self.run):
            await self.run(record)
        else:
            await asyncio.to_thread(self.run, record)
