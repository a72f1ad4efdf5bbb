# SPDX-License-Identifier: GPL-3.0-or-later
"""Schedules Argo workflows: each once for the message that asks for it, and as many as the cluster has places for."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Literal

import urllib3.exceptions
from thoth.common.exceptions import ThothCommonExceptionError

from investigator.argo.client import ClusterClient, PreparedWorkflow, TemplateError
from investigator.argo.credentials import ClusterConfigError
from investigator.argo.http import ApiError
from investigator.argo.ids import workflow_id
from investigator.argo.kinds import WORKFLOW_KINDS, WorkflowKind
from investigator.argo.labels import TraceMetadata, trace_metadata
from investigator.argo.pending_limit import PendingLimiter, PendingPolicy
from investigator.delivery.current_message import bind_message, current_context
from investigator.delivery.errors import PermanentError, TemporaryError, UnavailableError
from investigator.delivery.origin import Origin
from investigator.observability.metrics import Metrics
from investigator.resilience.breaker import Breaker
from investigator.resilience.calls import CallPolicy, Calls
from investigator.resilience.http_errors import error_for_status

_LOGGER = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class WorkflowPolicy:
    """How calls are made, and how many workflows of a namespace may wait for their start."""

    calls: CallPolicy
    pending: PendingPolicy


class WorkflowScheduler:
    """Schedules workflows without blocking the event loop; one for all messages of a worker.

    Args:
        cluster: where to.
        policy: how.
        metrics: count what was scheduled, and show what is pending.
        breaker: holds calls back while the cluster's API is down; shown on pages by whoever made it.
    """

    def __init__(self, cluster: ClusterClient, policy: WorkflowPolicy, metrics: Metrics, breaker: Breaker) -> None:
        self._cluster = cluster
        self._metrics = metrics
        self._calls = Calls(breaker, policy.calls, cluster_error)
        names = {cluster.namespaces.backend, cluster.namespaces.middletier}
        self._gates = {name: self._gate(name, policy.pending) for name in names}

    async def schedule(  # noqa: PLR0913 - a message, what it asks for, and how to name and trace that
        self,
        kind: WorkflowKind,
        origin: Origin,
        *,
        base_name: str,
        arguments: Mapping[str, object],
        step: str = "",
        job_id: str | None = None,
        correlation_id: str | None = None,
    ) -> None:
        """Schedule a workflow, unless it is there already: then it is done.

        Args:
            kind: the kind of workflow.
            origin: the message that asks for it.
            base_name: the message's type, for metrics and for the marks on the workflow.
            arguments: what the ``schedule_*`` method of that kind takes.
            step: tells apart several workflows of a kind that one message asks for.
            job_id: the workflow's id if the message brings it; else it is derived from the rest.
            correlation_id: what the logs call the message.

        Raises:
            PermanentError: the workflow can never be scheduled.
            TemporaryError: it could not be scheduled now, not even after some quick retries.
        """
        spec = WORKFLOW_KINDS[kind]
        name = job_id or workflow_id(spec.prefix or str(arguments["solver"]), origin, step)
        draft = await self._calls.run(partial(self._cluster.prepare, spec.method, {**arguments, "job_id": name}))
        end = await self._create(draft, trace_metadata(base_name, origin, correlation_id), urgent=spec.urgent)
        self._count(end, base_name, kind)
        _LOGGER.info("%s workflow %s for %s: %s", kind, name, origin, end)

    async def solver_names(self) -> list[str]:
        """Give the names of the installed solvers; raises what `schedule` does."""
        return await self._calls.run(self._cluster.get_solver_names)

    def close(self) -> None:
        """Stop counting pending workflows, stop the threads, and close the connections to the cluster."""
        for gate in self._gates.values():
            gate.close()
        self._calls.close()
        self._cluster.close()

    async def _create(self, draft: PreparedWorkflow, own: TraceMetadata, *, urgent: bool) -> "_End":
        tries = 0

        def create() -> bool:
            nonlocal tries
            tries += 1
            return self._cluster.create(draft, own)

        gate = self._gates[draft.namespace]
        async with gate.acquire(urgent=urgent, while_waiting=current_context().while_waiting) as place:
            try:
                created = await self._calls.run(create)
            except PermanentError:
                place.cancel()
                raise
            if not created and tries == 1:
                place.cancel()
                return "was there already"
        return "created" if created else "created, as a repetition found"

    def _count(self, end: "_End", base_name: str, kind: WorkflowKind) -> None:
        labels = {"message_type": base_name, "workflow_type": kind}
        if end != "was there already":
            self._metrics.scheduled_workflows.labels(**labels).inc()
        if end != "created":
            self._metrics.deduplicated_workflows.labels(**labels).inc()

    def _gate(self, namespace: str, policy: PendingPolicy) -> PendingLimiter:
        async def count() -> int:
            with bind_message(f"count of {namespace}"):
                return await self._calls.run(partial(self._cluster.count_pending, namespace, policy.limit or 0))

        if policy.limit is not None:
            self._metrics.pending_workflow_limit.labels(namespace=namespace).set(policy.limit)
        return PendingLimiter(policy, count, self._metrics.pending_workflows.labels(namespace=namespace).set, namespace)


#: How a creation ended; a repetition after a lost reply finds what the first try created.
_End = Literal["created", "was there already", "created, as a repetition found"]


def cluster_error(error: Exception) -> Exception:
    """Turn what a call of the cluster raised into what a handler may raise; what is unknown stays as it is."""
    if isinstance(error, ApiError):
        return error_for_status(error.status, str(error), delay=error.retry_after)
    if isinstance(error, urllib3.exceptions.HTTPError):
        return UnavailableError(f"the cluster's API does not answer: {error}")
    if isinstance(error, TemplateError | ClusterConfigError | OSError):
        return TemporaryError(str(error))
    if isinstance(error, ThothCommonExceptionError | ValueError | TypeError | LookupError | AttributeError):
        return PermanentError(f"the workflow cannot be made of this message: {type(error).__name__}: {error}")
    return error
