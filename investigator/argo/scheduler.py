# SPDX-License-Identifier: GPL-3.0-or-later
"""Schedules Argo workflows: each one once per message, within the limit of pending workflows."""

import logging
from collections.abc import Mapping, MutableMapping
from dataclasses import dataclass
from functools import partial

from investigator.argo.admission import Admission
from investigator.argo.answers import cluster_error
from investigator.argo.client import ClusterClient, PreparedWorkflow
from investigator.argo.digests import parameters_digest
from investigator.argo.ids import workflow_id
from investigator.argo.kinds import WORKFLOW_KINDS, WorkflowKind
from investigator.argo.labels import TraceMetadata, trace_metadata
from investigator.argo.pending_limit import PendingLimiter, PendingPolicy
from investigator.argo.quota import QuotaGate
from investigator.argo.workflow_creation import CreateResult, WorkflowCreation
from investigator.delivery.current_message import report_progress
from investigator.delivery.origin import Origin
from investigator.observability.metrics import Metrics
from investigator.resilience.breaker_group import BreakerGroup
from investigator.resilience.calls import Calls
from investigator.resilience.quick_retries import CallPolicy
from investigator.resilience.thread_pool import DaemonThreadPool

_LOGGER = logging.getLogger(__name__)

# Counts have threads of their own, so that creations that hang do not delay them. One that hangs holds its thread.
_COUNTING_THREADS = 8


@dataclass(frozen=True, slots=True)
class WorkflowPolicy:
    """How the scheduler makes calls, and its limit of pending workflows in a namespace."""

    calls: CallPolicy
    pending: PendingPolicy


class WorkflowScheduler:
    """Schedules workflows without blocking the event loop; one for all messages of a worker.

    Args:
        cluster: the client of the cluster, which the scheduler closes.
        policy: how to make calls, and the limit of pending workflows.
        metrics: count the scheduled workflows and show the pending ones.
        breakers: hold calls back while the cluster's API is unavailable.
        admissions: gets the waits of each namespace, for the status page.
    """

    def __init__(
        self,
        cluster: ClusterClient,
        policy: WorkflowPolicy,
        metrics: Metrics,
        breakers: BreakerGroup,
        admissions: MutableMapping[str, Admission] | None = None,
    ) -> None:
        self._cluster = cluster
        self._metrics = metrics
        self._calls = Calls(breakers, policy.calls, cluster_error)
        self._counting = DaemonThreadPool(_COUNTING_THREADS, "cluster-count")
        self._admissions = {} if admissions is None else admissions
        for namespace in (cluster.namespaces.backend, cluster.namespaces.middletier):
            self._admissions[namespace] = self._admission(namespace, policy.pending)

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
        """Create a workflow, as `investigator.agent.ports.Workflows.schedule` says."""
        spec = WORKFLOW_KINDS[kind]
        name = job_id or workflow_id(spec.prefix or str(arguments["solver"]), origin, step)
        prepare = partial(self._cluster.prepare, spec.method, {**arguments, "job_id": name})
        workflow = await self._calls.run(prepare, operation=f"process the template {kind}")
        digest = parameters_digest(arguments, origin)
        trace = trace_metadata(base_name, origin, correlation_id)
        trace = trace.for_request(kind, digest, has_derived_name=not job_id)
        result = await self._create(kind, workflow, trace)
        self._count(result, base_name, kind)
        if result.is_new:
            report_progress()
        _LOGGER.info("Scheduled workflow kind=%s name=%s message=%s result=%s", kind, name, origin, result.value)

    async def solver_names(self) -> list[str]:
        """Return the names of the installed solvers; raises the errors of `schedule`."""
        return await self._calls.run(self._cluster.get_solver_names, operation="read the solvers")

    def close(self) -> None:
        """Stop counting pending workflows, stop the threads, and close the connections to the cluster."""
        for admission in self._admissions.values():
            admission.close()
        self._counting.close()
        self._calls.close()
        self._cluster.close()

    async def _create(self, kind: WorkflowKind, workflow: PreparedWorkflow, trace: TraceMetadata) -> CreateResult:
        create = WorkflowCreation(partial(self._cluster.create, workflow, trace))
        run = partial(self._calls.run, operation=f"create {kind} workflows in {workflow.namespace}")
        return await self._admissions[workflow.namespace].create(run, create, urgent=WORKFLOW_KINDS[kind].urgent)

    def _count(self, result: CreateResult, base_name: str, kind: WorkflowKind) -> None:
        labels = {"message_type": base_name, "workflow_type": kind}
        if result.is_new:
            self._metrics.scheduled_workflows.labels(**labels).inc()
        if result is not CreateResult.CREATED:
            self._metrics.deduplicated_workflows.labels(**labels).inc()

    def _admission(self, namespace: str, policy: PendingPolicy) -> Admission:
        call = partial(self._cluster.count_pending, namespace, policy.limit or 0)
        count = partial(self._counting.run, call)  # without quick retries and breaker: the limiter repeats it
        show_pending = partial(self._show_pending, namespace)
        limiter, gate = PendingLimiter(policy, count, show_pending, namespace), QuotaGate(namespace)
        self._metrics.pending_count_failing.labels(namespace=namespace).set_function(lambda: limiter.is_failing)
        self._metrics.quota_waiting.labels(namespace=namespace).set_function(lambda: gate.waiting)
        if policy.limit is not None:
            self._metrics.pending_workflow_limit.labels(namespace=namespace).set(policy.limit)
        return Admission(namespace, limiter, gate)

    def _show_pending(self, namespace: str, pending: int) -> None:
        self._metrics.pending_workflows.labels(namespace=namespace).set(pending)  # no series before the first count
