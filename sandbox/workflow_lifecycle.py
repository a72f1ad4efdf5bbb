# SPDX-License-Identifier: GPL-3.0-or-later
"""The lifecycle of a workflow under Argo's controller: Pending, Running, Succeeded or Failed, deleted."""

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
    """The durations of the phases, in seconds, and the number of workflows in a namespace that run at once.

    With `WorkflowLifecycle(pending=math.inf)` workflows stay Pending, as beyond the parallelism of Argo's controller.
    With `unstarted=math.inf` they are Running and their pods stay Pending, as without nodes. Without a lifecycle (None)
    they stay as they were created, without a phase, as while Argo's controller is unavailable.
    """

    pending: float = 0.0
    unstarted: float = 0.0  # while the workflow is Running, and its pod waits for a node
    running: float = 0.0
    ttl: float | None = None  # seconds after completion until the deletion; None for no deletion
    parallelism: int | None = None  # None: no limit


class WorkflowController:
    """The controller that moves workflows through their lifecycle, on the event loop that `start` is called on.

    It calls `run` when a workflow starts: a coroutine function on that loop, another function in a thread. The workflow
    succeeds when `run` returns. It fails when `run` raises, with the exception as its message.
    """

    def __init__(
        self, store: WorkflowStore, lifecycle: WorkflowLifecycle | None = None, run: Runner | None = None
    ) -> None:
        """Control the workflows of that store; a change of `lifecycle` or `run` applies to later workflows."""
        self._store = store
        self.lifecycle = lifecycle
        self.run = run
        self._tasks: set[asyncio.Task[None]] = set()
        self._semaphores: dict[tuple[str, WorkflowLifecycle], asyncio.Semaphore] = {}

    def start(self, workflow: Workflow) -> None:
        """Start the lifecycle of a new workflow; does nothing without a lifecycle."""
        if self.lifecycle is not None:
            task = asyncio.get_running_loop().create_task(self._run_lifecycle(workflow, self.lifecycle))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    def cancel_all(self) -> None:
        """Cancel all lifecycles; the workflows stay in their current phases."""
        for task in list(self._tasks):
            task.cancel()
        self._semaphores.clear()

    async def _run_lifecycle(self, workflow: Workflow, lifecycle: WorkflowLifecycle) -> None:
        semaphore = self._semaphore(workflow.record.namespace, lifecycle)
        if lifecycle.pending or (semaphore and semaphore.locked()):
            self._store.set_phase(workflow, "Pending")
        await asyncio.sleep(lifecycle.pending)
        async with semaphore or nullcontext():
            await self._execute(workflow, lifecycle)
        if lifecycle.ttl is not None:
            await asyncio.sleep(lifecycle.ttl)
            self._store.delete(workflow)

    def _semaphore(self, namespace: str, lifecycle: WorkflowLifecycle) -> asyncio.Semaphore | None:
        if lifecycle.parallelism is None:
            return None
        return self._semaphores.setdefault((namespace, lifecycle), asyncio.Semaphore(lifecycle.parallelism))

    async def _execute(self, workflow: Workflow, lifecycle: WorkflowLifecycle) -> None:
        pod = self._store.pods.add(workflow.record.namespace, workflow.record.name)
        self._store.set_phase(workflow, "Running")
        await asyncio.sleep(lifecycle.unstarted)
        pod.phase = "Running"
        try:
            await asyncio.sleep(lifecycle.running)
            await self._call_runner(workflow.record)
        except Exception as error:  # noqa: BLE001 - any exception makes the workflow Failed
            pod.phase = "Failed"
            self._store.set_phase(workflow, "Failed", f"{type(error).__name__}: {error}")
        else:
            pod.phase = "Succeeded"
            self._store.set_phase(workflow, "Succeeded")

    async def _call_runner(self, record: CreatedWorkflow) -> None:
        if self.run is None:
            return
        if inspect.iscoroutinefunction(self.run):
            await self.run(record)
        else:
            await asyncio.to_thread(self.run, record)
