# SPDX-License-Identifier: GPL-3.0-or-later
"""What a handler may use for the message in hand: the cluster, the graph, the index, and memory over its attempts."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar, cast

from investigator.argo.ids import workflow_id
from investigator.argo.kinds import WorkflowKind
from investigator.argo.scheduler import WorkflowScheduler
from investigator.delivery.origin import Origin
from investigator.graph.client import GraphClient
from investigator.observability.metrics import Metrics
from investigator.package_index import PackageIndex
from investigator.settings import Settings

T = TypeVar("T")


@dataclass(frozen=True)
class Services:
    """What all messages share: built once per worker."""

    settings: Settings
    workflows: WorkflowScheduler
    graph: GraphClient
    index: PackageIndex
    metrics: Metrics


@dataclass
class Work:
    """One message in hand, through all of its attempts."""

    base_name: str
    origin: Origin
    services: Services
    _done: dict[str, Any] = field(default_factory=dict)

    @property
    def settings(self) -> Settings:
        """The settings of the worker."""
        return self.services.settings

    @property
    def graph(self) -> GraphClient:
        """The knowledge graph."""
        return self.services.graph

    @property
    def index(self) -> PackageIndex:
        """The package indexes."""
        return self.services.index

    @property
    def metrics(self) -> Metrics:
        """The metrics of the worker."""
        return self.services.metrics

    async def once(self, step: str, call: Callable[[], Awaitable[T]]) -> T:
        """Run a step of the handler, unless an earlier attempt ran it to its end: then give what it gave."""
        if step not in self._done:
            self._done[step] = await call()
        return cast("T", self._done[step])

    def new_id(self, prefix: str, step: str = "") -> str:
        """Derive the id of a workflow or document from the message and the step; the same at each repetition."""
        return workflow_id(prefix, self.origin, step)

    async def solver_names(self) -> list[str]:
        """Tell the names of the solvers that are installed in the cluster."""
        return await self.services.workflows.solver_names()

    async def schedule(
        self, kind: WorkflowKind, *, step: str = "", job_id: str | None = None, **arguments: object
    ) -> None:
        """Schedule a workflow, exactly once for this message, kind and step.

        Args:
            kind: the kind of workflow.
            step: tells apart several workflows of one kind that a message asks for.
            job_id: the id that the message brings; without one it is derived from message, kind and step.
            arguments: what the `schedule_*` function of thoth-common takes for that kind.

        Raises:
            PermanentError: the cluster refuses the workflow for good.
            TemporaryError: the cluster is in trouble.
        """

        async def schedule() -> None:
            await self.services.workflows.schedule(
                kind,
                self.origin,
                base_name=self.base_name,
                step=step,
                job_id=job_id,
                correlation_id=str(self.origin),
                arguments=arguments,
            )

        await self.once(f"{kind} {job_id or ''} {step}", schedule)
