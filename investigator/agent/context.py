# SPDX-License-Identifier: GPL-3.0-or-later
"""The second argument of every handler: the services of the worker, and the results of steps of earlier attempts."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar, cast

from investigator.agent.ports import HandlerMetrics, HandlerSettings, KnowledgeGraph, PackageIndexes, Workflows
from investigator.argo.ids import workflow_id
from investigator.argo.kinds import WorkflowKind
from investigator.delivery.origin import Origin

T = TypeVar("T")


@dataclass(frozen=True)
class Services:
    """The services that all messages of a worker share."""

    settings: HandlerSettings
    workflows: Workflows
    graph: KnowledgeGraph
    index: PackageIndexes
    metrics: HandlerMetrics


@dataclass
class Work:
    """The handling of one message, from its first attempt to its last.

    The worker calls all handlers of the message with the same Work, and calls them again after a failed attempt.

    Attributes:
        base_name: the type of the message.
        origin: the topic, partition, offset and timestamp of the message; for a replayed dead letter, those of the
            original message.
        services: the services of the worker.
    """

    base_name: str
    origin: Origin
    services: Services
    _results: dict[str, Any] = field(default_factory=dict)

    @property
    def settings(self) -> HandlerSettings:
        """The settings that handlers read."""
        return self.services.settings

    @property
    def graph(self) -> KnowledgeGraph:
        """The knowledge graph."""
        return self.services.graph

    @property
    def index(self) -> PackageIndexes:
        """The package indexes."""
        return self.services.index

    @property
    def metrics(self) -> HandlerMetrics:
        """The metrics that handlers write."""
        return self.services.metrics

    async def once(self, step: str, call: Callable[[], Awaitable[T]]) -> T:
        """Run a step of the handling, unless an earlier attempt has completed it, and return its result.

        A failed attempt is repeated from the start of the handlers. A step that `once` runs is not repeated after it
        succeeded: the next attempt gets the stored result. Use it for

        - a change, such as a flag in the graph or an increment of a metric, so that a retry does not repeat it;
        - a query whose answer changes while the handler works, so that all attempts decide alike;
        - a slow query.

        `schedule` needs no `once`, it does this itself. The results are held in memory: after a crash or a rebalance
        the message is handled from its start, so every step must still be safe to repeat.

        Args:
            step: names the step; all handlers of the message share these names.
            call: runs the step.

        Returns:
            The result of the call, from this attempt or an earlier one.
        """
        if step not in self._results:
            self._results[step] = await call()
        return cast("T", self._results[step])

    def new_id(self, prefix: str, step: str = "") -> str:
        """Return an id for a workflow or document, ``{prefix}-{yymmddhhmmss}-{16 hexadecimal digits}``.

        The id is derived from the message's origin, the prefix and the step, so every repetition gets the same one.
        """
        return workflow_id(prefix, self.origin, step)

    async def solver_names(self) -> list[str]:
        """Return the names of the solvers that are installed in the cluster."""
        return await self.services.workflows.solver_names()

    async def schedule(
        self, kind: WorkflowKind, *, step: str = "", job_id: str | None = None, **arguments: object
    ) -> None:
        """Create a workflow, exactly once for this message, kind and step.

        Without `job_id` the workflow's id is derived from the message, the kind and the step. A repeated message
        therefore asks for the same id, and the cluster refuses to create it twice.

        Args:
            kind: the kind of workflow, one of `WORKFLOW_KINDS`.
            step: distinguishes several workflows of one kind for the same message.
            job_id: the id that the message brings, if it does.
            arguments: the arguments of the kind's ``schedule_*`` method in thoth-common.

        Raises:
            PermanentError: the cluster or thoth-common refuses the workflow; no other attempt would succeed.
            TemporaryError: the cluster did not create the workflow; another attempt may succeed.
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
