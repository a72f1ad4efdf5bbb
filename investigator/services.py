# SPDX-License-Identifier: GPL-3.0-or-later
"""Builds the clients that handlers use: of the cluster, the graph and the package indexes; a part of `app`."""

from contextlib import ExitStack, closing
from dataclasses import dataclass
from typing import Any, NoReturn

from investigator.agent.context import Services
from investigator.argo.client import ClusterClient, ClusterPolicy, Namespaces
from investigator.argo.credentials import Credentials
from investigator.argo.pending_limit import PendingPolicy
from investigator.argo.scheduler import WorkflowPolicy, WorkflowScheduler
from investigator.delivery.errors import PermanentError
from investigator.graph.client import GraphClient
from investigator.graph.database import Database, DatabaseAddress, DatabasePolicy
from investigator.observability.metrics import Metrics
from investigator.package_index.client import PackageIndex
from investigator.resilience.breaker import Breaker
from investigator.resilience.calls import CallPolicy
from investigator.settings import Settings
from investigator.streaming.assignor import GroupSizeAssignor


@dataclass(frozen=True)
class Breakers:
    """The circuit breakers: one for each dependency of the handlers."""

    cluster: Breaker
    graph: Breaker
    index: Breaker

    def all(self) -> tuple[Breaker, ...]:
        """Return all breakers."""
        return self.cluster, self.graph, self.index


def build_breakers(metrics: Metrics) -> Breakers:
    """Build the breakers, all closed, and their metrics."""
    return Breakers(*(_breaker(name, metrics) for name in ("cluster", "graph", "index")))


def build_services(
    settings: Settings, metrics: Metrics, breakers: Breakers, group: GroupSizeAssignor, clients: ExitStack
) -> Services:
    """Build the services of handlers, which connect at their first call.

    Args:
        settings: the settings of the worker.
        metrics: the metrics of the worker.
        breakers: the circuit breakers, one for each client.
        group: returns how many workers share the limit of pending workflows.
        clients: gets the `close` of every client.

    Raises:
        ClusterConfigError: neither a service account nor KUBECONFIG names a cluster.
    """
    calls = CallPolicy(threads=settings.thoth_consumer_workers, retry_budget=settings.thoth_investigator_call_timeout)
    pending = PendingPolicy(settings.argo_pending_workflow_limit, settings.argo_pending_sleep_time, group.member_count)
    database = build_database(settings)
    _set_schema_metric(metrics, database, settings)
    workflows = WorkflowScheduler(build_cluster(settings), WorkflowPolicy(calls, pending), metrics, breakers.cluster)
    return Services(
        settings,
        clients.enter_context(closing(workflows)),
        clients.enter_context(closing(GraphClient(database, calls, breakers.graph))),
        clients.enter_context(closing(PackageIndex(calls, settings.thoth_investigator_call_timeout, breakers.index))),
        metrics,
    )


class _Absent:
    """Takes the place of a client that no handler of metrics mode uses, and that has no credentials there."""

    def __getattr__(self, name: str) -> NoReturn:
        raise PermanentError(f"metrics mode has neither cluster, graph nor package indexes, so it can't call {name}")


def build_counting_services(settings: Settings, metrics: Metrics) -> Services:
    """Build the services of a worker in metrics mode alone, whose handlers only write metrics."""
    absent: Any = _Absent()
    return Services(settings, absent, absent, absent, metrics)


def build_cluster(settings: Settings) -> ClusterClient:
    """Build the client of the cluster's API.

    Raises:
        ClusterConfigError: neither a service account nor KUBECONFIG names a cluster.
    """
    credentials = Credentials(kubeconfig=settings.kubeconfig, verify_tls=settings.kubernetes_verify_tls)
    policy = ClusterPolicy(
        connections=settings.thoth_consumer_workers,
        timeout=settings.thoth_investigator_call_timeout,
        template_ttl=settings.thoth_investigator_template_ttl,
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
        ssl_disabled=settings.knowledge_graph_ssl_disabled,
    )
    return Database(address, DatabasePolicy(connections=settings.thoth_consumer_workers))


def _breaker(dependency: str, metrics: Metrics) -> Breaker:
    breaker = Breaker(dependency)
    metrics.circuit_breaker_open.labels(dependency).set_function(lambda: breaker.view.is_open)
    return breaker


def _set_schema_metric(metrics: Metrics, database: Database, settings: Settings) -> None:
    labels = ("investigator", database.get_script_alembic_version_head(), settings.thoth_deployment_name)
    metrics.thoth_database_schema_revision_script.labels(*labels).set(1)
