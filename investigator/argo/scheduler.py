# SPDX-License-Identifier: GPL-3.0-or-later
"""Schedules Argo workflows: each one once per message, within the limit of pending workflows."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from functools import partial

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
from investigator.resilience.breaker_group import BreakerGroup
from investigator.resilience.calls import CallPolicy, Calls
from investigator.resilience.http_errors import error_for_status

_LOGGER = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class WorkflowPolicy:
    """How the scheduler makes calls, and its limit of pending workflows in a namespace."""

    calls: CallPolicy
    pending: PendingPolicy


class CreateResult(Enum):
    """The result of creating a workflow; the values are for the log."""

    CREATED = "created"
    EXISTED = "existed"  # an earlier delivery of the message created it
    CREATED_BY_RETRY = "created by retry"  # an earlier call created it and lost the response; its retry found it


class WorkflowScheduler:
    """Schedules workflows without blocking the event loop; one for all messages of a worker.

    Args:
        cluster: the client of the cluster, which the scheduler closes.
        policy: how to make calls, and the limit of pending workflows.
        metrics: count the scheduled workflows and show the pending ones.
        breakers: hold calls back while the cluster's API is unavailable.
    """

    def __init__(
        self, cluster: ClusterClient, policy: WorkflowPolicy, metrics: Metrics, breakers: BreakerGroup
    ) -> None:
        self._cluster = cluster
        self._metrics = metrics
        self._calls = Calls(breakers, policy.calls, cluster_error)
        namespaces = {cluster.namespaces.backend, cluster.namespaces.middletier}
        self._limiters = {namespace: self._limiter(namespace, policy.pending) for namespace in namespaces}

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
        """Schedule a workflow; a workflow that exists already counts as success.

        Args:
            kind: the kind of workflow.
            origin: the message that requests it.
            base_name: the message's type, for metrics, labels and annotations.
            arguments: the arguments of the kind's ``schedule_*`` method.
            step: distinguishes several workflows of a kind that one message requests.
            job_id: the workflow's id if the message has one; else it is derived from kind, message and step.
            correlation_id: identifies the message in the logs.

        Raises:
            PermanentError: no attempt can schedule the workflow.
            TemporaryError: the quick retries are exhausted; a later attempt may succeed.
        """
        spec = WORKFLOW_KINDS[kind]
        name = job_id or workflow_id(spec.prefix or str(arguments["solver"]), origin, step)
        prepare = partial(self._cluster.prepare, spec.method, {**arguments, "job_id": name})
        workflow = await self._calls.run(prepare, operation=f"process the template {kind}")
        result = await self._create(kind, workflow, trace_metadata(base_name, origin, correlation_id))
        self._count(result, base_name, kind)
        _LOGGER.info("Scheduled workflow kind=%s name=%s message=%s result=%s", kind, name, origin, result.value)

    async def solver_names(self) -> list[str]:
        """Return the names of the installed solvers; raises the errors of `schedule`."""
        return await self._calls.run(self._cluster.get_solver_names, operation="read the solvers")

    def close(self) -> None:
        """Stop counting pending workflows, stop the threads, and close the connections to the cluster."""
        for limiter in self._limiters.values():
            limiter.close()
        self._calls.close()
        self._cluster.close()

    async def _create(self, kind: WorkflowKind, workflow: PreparedWorkflow, trace: TraceMetadata) -> CreateResult:
        operation = f"create {kind} workflows in {workflow.namespace}"
        calls = 0

        def create() -> bool:
            nonlocal calls
            calls += 1
            return self._cluster.create(workflow, trace)

        limiter, urgent = self._limiters[workflow.namespace], WORKFLOW_KINDS[kind].urgent
        async with limiter.acquire(urgent=urgent, while_waiting=current_context().while_waiting) as permit:
            try:
                created = await self._calls.run(create, operation=operation)
            except PermanentError:
                permit.cancel()
                raise
            if not created and calls == 1:
                permit.cancel()
                return CreateResult.EXISTED
        return CreateResult.CREATED if created else CreateResult.CREATED_BY_RETRY

    def _count(self, result: CreateResult, base_name: str, kind: WorkflowKind) -> None:
        labels = {"message_type": base_name, "workflow_type": kind}
        if result is not CreateResult.EXISTED:
            self._metrics.scheduled_workflows.labels(**labels).inc()
        if result is not CreateResult.CREATED:
            self._metrics.deduplicated_workflows.labels(**labels).inc()

    def _limiter(self, namespace: str, policy: PendingPolicy) -> PendingLimiter:
        async def count() -> int:
            with bind_message(f"count of {namespace}"):
                call = partial(self._cluster.count_pending, namespace, policy.limit or 0)
                return await self._calls.run(call, operation=f"count pending workflows in {namespace}")

        if policy.limit is not None:
            self._metrics.pending_workflow_limit.labels(namespace=namespace).set(policy.limit)
        return PendingLimiter(policy, count, self._metrics.pending_workflows.labels(namespace=namespace).set, namespace)


def cluster_error(error: Exception) -> Exception:
    """Map an exception of a cluster call to the error for the handler; return an unknown one unchanged."""
    if isinstance(error, ApiError):
        return error_for_status(error.status, str(error), delay=error.retry_after)
    if isinstance(error, urllib3.exceptions.HTTPError):
        return UnavailableError(f"the cluster's API does not answer: {error}")
    if isinstance(error, TemplateError | ClusterConfigError | OSError):
        return TemporaryError(str(error))
    if isinstance(error, ThothCommonExceptionError | ValueError | TypeError | LookupError | AttributeError):
        return PermanentError(f"the message does not make a valid workflow: {type(error).__name__}: {error}")
    return error
