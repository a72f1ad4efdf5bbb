# SPDX-License-Identifier: GPL-3.0-or-later
"""Builds the clients that handlers use: of the cluster, the graph and the package indexes; a part of `app`."""

import time
from collections.abc import Callable
from contextlib import ExitStack, closing
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, NoReturn

from investigator.agent.context import Services
from investigator.argo.admission import Admission
from investigator.argo.client import ClusterClient, ClusterPolicy, Namespaces
from investigator.argo.credentials import Credentials
from investigator.argo.parameters import SizeLimits
from investigator.argo.pending_limit import PendingPolicy
from investigator.argo.scheduler import WorkflowPolicy, WorkflowScheduler
from investigator.delivery.errors import PermanentError
from investigator.graph.client import GraphClient
from investigator.graph.database import Database, DatabaseAddress, DatabasePolicy
from investigator.observability.metrics import Metrics
from investigator.package_index.client import PackageIndex
from investigator.resilience.breaker_group import BreakerGroup
from investigator.resilience.breaker_policy import BreakerPolicy
from investigator.resilience.quick_retries import CallPolicy
from investigator.settings import Settings


@dataclass(frozen=True)
class Breakers:
    """The circuit breakers: one group for each dependency of the handlers."""

    cluster: BreakerGroup
    graph: BreakerGroup
    index: BreakerGroup

    def all(self) -> tuple[BreakerGroup, ...]:
        """Return all groups."""
        return self.cluster, self.graph, self.index


def build_breakers(settings: Settings, metrics: Metrics) -> Breakers:
    """Build the breakers, all closed, and their metrics."""
    policy = BreakerPolicy(patience=settings.thoth_investigator_outage_patience)
    hosts = replace(policy, independent=True)
    return Breakers(
        _breakers("cluster", policy, metrics), _breakers("graph", policy, metrics), _breakers("index", hosts, metrics)
    )


@dataclass(frozen=True)
class SharedParts:
    """The parts that the services share with the rest of a worker.

    Attributes:
        metrics: the metrics of the worker.
        breakers: the circuit breakers, one group for each client.
        members: returns the number of workers in the consumer group.
        clients: gets the `close` of every client.
        admissions: gets the waits of each namespace, for the status page.
    """

    metrics: Metrics
    breakers: Breakers
    members: Callable[[], int]
    clients: ExitStack = field(default_factory=ExitStack)
    admissions: dict[str, Admission] = field(default_factory=dict)


def build_services(settings: Settings, shared: SharedParts) -> Services:
    """Build the services of handlers, which connect at their first call; in metrics mode alone there is only metrics.

    Raises:
        ClusterConfigError: neither a service account nor KUBECONFIG names a cluster.
    """
    if settings.only_counts:
        absent: Any = _Absent()
        return Services(settings, absent, absent, absent, shared.metrics)
    return _build_all_services(settings, shared)


def _build_all_services(settings: Settings, shared: SharedParts) -> Services:
    calls = CallPolicy(threads=settings.thoth_consumer_workers, retry_budget=settings.thoth_investigator_call_timeout)
    database = build_database(settings)
    _set_schema_metric(shared.metrics, database, settings)
    policy = WorkflowPolicy(calls, _pending_policy(settings, shared.members))
    cluster, breakers, close_later = build_cluster(settings), shared.breakers, shared.clients.enter_context
    workflows = WorkflowScheduler(cluster, policy, shared.metrics, breakers.cluster, shared.admissions)
    return Services(
        settings,
        close_later(closing(workflows)),
        close_later(closing(GraphClient(database, calls, breakers.graph))),
        close_later(closing(PackageIndex(calls, settings.thoth_investigator_call_timeout, breakers.index))),
        shared.metrics,
    )


def _pending_policy(settings: Settings, members: Callable[[], int]) -> PendingPolicy:
    shares = settings.thoth_investigator_pending_limit_shares
    return PendingPolicy(
        settings.argo_pending_workflow_limit,
        settings.argo_pending_sleep_time,
        # Other groups are taken to have as many members: each group uses its part of the limit in any case.
        members=lambda: shares * members(),
        timeout=3 * settings.thoth_investigator_call_timeout,  # a count makes several calls
    )


class _Absent:
    """Takes the place of a client that no handler of metrics mode uses, and that has no credentials there."""

    def __getattr__(self, name: str) -> NoReturn:
        raise PermanentError(f"metrics mode has neither cluster, graph nor package indexes, so it can't call {name}")


def build_cluster(settings: Settings) -> ClusterClient:
    """Build the client of the cluster's API.

    Raises:
        ClusterConfigError: neither a service account nor KUBECONFIG names a cluster.
    """
    credentials = Credentials(kubeconfig=settings.kubeconfig, verify_tls=settings.kubernetes_verify_tls)
    policy = ClusterPolicy(
        connections=settings.thoth_consumer_workers + 2,  # one for the count of each namespace
        timeout=settings.thoth_investigator_call_timeout,
        template_ttl=settings.thoth_investigator_template_ttl,
        counts_unstarted_pods=settings.thoth_investigator_pending_counts_unstarted_pods,
        sizes=SizeLimits(
            settings.thoth_investigator_max_parameter_bytes, settings.thoth_investigator_max_workflow_bytes
        ),
    )
    namespaces = Namespaces(
        infra=settings.thoth_infra_namespace,
        middletier=settings.thoth_middletier_namespace,
        backend=settings.thoth_backend_namespace,
    )
    urls = {"api": settings.kubernetes_api_url, "template_api": settings.openshift_api_url}
    return ClusterClient(credentials, policy, namespaces, **urls)


def build_database(settings: Settings) -> Database:
    """Build the client of the graph's database."""
    address = DatabaseAddress(
        host=settings.knowledge_graph_host,
        port=settings.knowledge_graph_port,
        user=settings.knowledge_graph_user,
        password=settings.knowledge_graph_password,
        database=settings.knowledge_graph_database,
        ssl_mode=settings.graph_ssl_mode,
        ssl_ca=settings.knowledge_graph_ssl_ca_location,
    )
    return Database(address, DatabasePolicy(connections=settings.thoth_consumer_workers))


def _breakers(dependency: str, policy: BreakerPolicy, metrics: Metrics) -> BreakerGroup:
    group = BreakerGroup(dependency, policy)
    metrics.circuit_breaker_open.labels(dependency).set_function(lambda: group.view.is_open)
    group.on_change = _OperationMetrics(group, metrics).update
    return group


@dataclass
class _OperationMetrics:
    """Exports the unavailable operations of a dependency: two series each, which end with the outage."""

    group: BreakerGroup
    metrics: Metrics
    exported: set[str] = field(default_factory=set)

    def update(self) -> None:
        """Add the series of new outages, and remove those of ended ones."""
        current = {each.operation for each in self.group.view.operations}
        for operation in current - self.exported:
            self._add(operation)
        for operation in self.exported - current:
            self.metrics.operation_unavailable.remove(self.group.name, operation)
            self.metrics.operation_waiting_calls.remove(self.group.name, operation)
        self.exported = current

    def _add(self, operation: str) -> None:
        labels = (self.group.name, operation)
        self.metrics.operation_unavailable.labels(*labels).set(time.time())
        self.metrics.operation_waiting_calls.labels(*labels).set_function(partial(self.group.waiting, operation))


def _set_schema_metric(metrics: Metrics, database: Database, settings: Settings) -> None:
    labels = ("investigator", database.get_script_alembic_version_head(), settings.thoth_deployment_name)
    metrics.thoth_database_schema_revision_script.labels(*labels).set(1)
