# SPDX-License-Identifier: GPL-3.0-or-later
"""Settings of the systems that handlers use: the cluster with its workflows, and the knowledge graph."""

from typing import Annotated, Literal

from pydantic import SecretStr

from investigator.settings.base import SettingsGroup
from investigator.settings.types import (
    IN_LOWER_CASE,
    Bytes,
    Flag,
    Kubeconfig,
    LogLevel,
    Namespace,
    NonNegativeInt,
    Password,
    PollSeconds,
    Port,
    PositiveInt,
    ReadableFile,
    Seconds,
    Url,
)

SslMode = Annotated[
    Literal["disable", "allow", "prefer", "require", "verify-ca", "verify-full"],
    IN_LOWER_CASE,
]


class ClusterSettings(SettingsGroup):
    """Cluster and workflows."""

    thoth_infra_namespace: Namespace
    """The namespace with the templates of the workflows and the list of solvers."""

    thoth_backend_namespace: Namespace
    """The namespace for the workflows of users and bots: adviser, provenance-checker, kebechet and similar ones."""

    thoth_middletier_namespace: Namespace
    """The namespace for the workflows that learn: solvers, security indicators, package extracts and similar ones."""

    thoth_ceph_bucket_prefix: str
    """The prefix inside the bucket under which workflows store their documents. Passed to the workflows."""

    thoth_ceph_bucket: str
    """The bucket for documents. Passed to the workflows."""

    thoth_s3_endpoint_url: Url
    """The object store with that bucket. Passed to the workflows."""

    argo_pending_workflow_limit: NonNegativeInt | None = None
    """The worker creates a workflow only while at most this number of workflows in its namespace have not started.
    Unset: no limit."""

    argo_pending_sleep_time: PollSeconds = 2
    """How long the worker waits before it counts the pending workflows again; at least 0.1 seconds, also where less is
    set."""

    thoth_investigator_outage_patience: Seconds = 120
    """How long messages wait without a failed attempt for an operation that fails while other operations of the same
    dependency succeed: a package index that does not answer, or one kind of workflow that cannot be created. Afterwards
    every failed probe is a failed attempt of the messages that wait. While a dependency as a whole is unavailable they
    wait without limit."""

    thoth_investigator_pending_limit_shares: PositiveInt = 1
    """How many consumer groups create workflows in the same namespaces, such as one for each mode. Groups do not know
    each other: each takes its part of ARGO_PENDING_WORKFLOW_LIMIT. Set the same limit, shares and sleep time in all."""

    thoth_investigator_pending_counts_unstarted_pods: Flag = True
    """1 counts a workflow as pending until one of its pods has started. Argo sets a workflow Running before that, even
    in a namespace without nodes. Needs the permission to list pods. 0 counts by Argo's phase alone."""

    thoth_investigator_call_timeout: Seconds = 10
    """Timeout of one call of the cluster's API. Such calls take milliseconds: after this time no answer will come, and
    a retry of the message is the better choice."""

    thoth_investigator_template_ttl: Seconds = 300
    """How long the worker caches a workflow's template before it fetches the template again. A changed template is in
    use after this time at the latest."""

    thoth_investigator_max_parameter_bytes: Bytes = 131_072
    """The largest parameter of a workflow, as an environment variable with its name. Linux starts no process with a
    larger one. A message that asks for a larger parameter fails permanently."""

    thoth_investigator_max_workflow_bytes: Bytes = 1_572_864
    """The largest workflow, as JSON. The storage of Kubernetes refuses larger objects. A message that asks for a larger
    workflow fails permanently."""

    kubeconfig: Kubeconfig | None = None
    """How to reach the cluster from the outside. Inside the cluster the worker uses the pod's service account."""

    kubernetes_api_url: Url | None = None
    """The cluster's API for workflows, if its URL differs from that of the service account or KUBECONFIG."""

    openshift_api_url: Url | None = None
    """The cluster's API for templates, with the same default."""

    kubernetes_verify_tls: Flag = True
    """0 accepts any certificate of the cluster's API: for trials only."""

    thoth_log_solver: LogLevel = "INFO"
    """DEBUG makes solver workflows log more."""

    thoth_log_revsolver: LogLevel = "INFO"
    """DEBUG makes reverse solver workflows log more."""


class GraphSettings(SettingsGroup):
    """Knowledge graph."""

    knowledge_graph_host: str = "localhost"
    """The PostgreSQL server."""

    knowledge_graph_port: Port = 5432
    """Its port."""

    knowledge_graph_user: str = "postgres"
    """The user name of the worker on that server. This default and the next two are those of thoth-storages."""

    knowledge_graph_password: Password = SecretStr("postgres")
    """The password of that user."""

    knowledge_graph_database: str = "postgres"
    """The database with the graph."""

    knowledge_graph_ssl_disabled: Flag = False
    """1 connects without encryption, as KNOWLEDGE_GRAPH_SSL_MODE=disable does: for servers without TLS, such as the one
    of the sandbox."""

    knowledge_graph_ssl_mode: SslMode = "verify-full"
    """How TLS protects the connection; the values are those of libpq's `sslmode`. The default checks the certificate
    and the host name. `allow`, `prefer` and `require` do not check who the server is, and the first two send the
    password to a server without TLS too."""

    knowledge_graph_ssl_ca_location: ReadableFile | None = None
    """The certificate authorities that the worker trusts for the server. Unset: those that the system trusts. The file
    is read for each new connection, so it may be replaced without a restart."""

    @property
    def graph_ssl_mode(self) -> str:
        """The mode in effect, in the words of libpq."""
        return "disable" if self.knowledge_graph_ssl_disabled else self.knowledge_graph_ssl_mode


class OtherSettings(SettingsGroup):
    """Git services and logs."""

    thoth_github_private_token: Password | None = None
    """A token for GitHub. No handler uses it; the worker reads it only to mask it in logs."""

    thoth_gitlab_private_token: Password | None = None
    """A token for GitLab, for the same purpose."""

    thoth_logging_no_json: Flag = False
    """1 writes plain log lines instead of JSON."""

    debug_level: LogLevel = "INFO"
    """The lowest level that is logged. 1 and higher numbers mean DEBUG, 0 means INFO."""

    sentry_dsn: Password | None = None
    """The Sentry project that also receives errors. Unset: none."""
