# SPDX-License-Identifier: GPL-3.0-or-later
"""Settings of what handlers work on: the cluster, its workflows, the graph."""

from pydantic import SecretStr

from investigator.settings.base import SettingsGroup
from investigator.settings.types import (
    Flag,
    Kubeconfig,
    LogLevel,
    Namespace,
    NonNegativeInt,
    Password,
    Port,
    Seconds,
    Url,
)


class ClusterSettings(SettingsGroup):
    """Cluster and workflows."""

    thoth_infra_namespace: Namespace
    """Where the templates of the workflows and the list of solvers are."""

    thoth_backend_namespace: Namespace
    """Where workflows for users and bots run: adviser, provenance-checker, kebechet and their like."""

    thoth_middletier_namespace: Namespace
    """Where workflows that learn run: solvers, security indicators, package extracts and their like."""

    thoth_ceph_bucket_prefix: str
    """Where workflows put their documents: the prefix inside the bucket. Handed on to them."""

    thoth_ceph_bucket: str
    """The bucket itself. Handed on to the workflows."""

    thoth_s3_endpoint_url: Url
    """The object store with that bucket. Handed on to the workflows."""

    argo_pending_workflow_limit: NonNegativeInt | None = None
    """A workflow is created only while at most so many of its namespace have not started. Without it there is no
    limit."""

    argo_pending_sleep_time: Seconds = 2
    """How long to wait before the workflows that have not started are counted again."""

    thoth_investigator_call_timeout: Seconds = 10
    """How long a call of the cluster's API may take. Those calls take milliseconds: what takes this long will not
    answer any more, and the message is better tried again."""

    thoth_investigator_template_ttl: Seconds = 300
    """How long a workflow's template is kept before it is fetched anew. A changed template is in use after that at the
    latest."""

    kubeconfig: Kubeconfig | None = None
    """How to reach the cluster from outside of it. Inside, the pod's service account is used."""

    kubernetes_api_url: Url | None = None
    """The cluster's API for workflows, if it is not where the service account or KUBECONFIG says."""

    openshift_api_url: Url | None = None
    """The cluster's API for templates, with the same default."""

    kubernetes_verify_tls: Flag = True
    """0 accepts any certificate of the cluster's API: for trying out only."""

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
    """Who the worker is there. This default and the next two are those of thoth-storages."""

    knowledge_graph_password: Password = SecretStr("postgres")
    """The password of that user."""

    knowledge_graph_database: str = "postgres"
    """The database with the graph."""

    knowledge_graph_ssl_disabled: Flag = False
    """1 talks to the server without encryption: for servers that have none, such as the sandbox's."""


class OtherSettings(SettingsGroup):
    """Git services and logs."""

    thoth_github_private_token: Password | None = None
    """A token for GitHub. No handler uses it; it is known here so that it never shows in a log."""

    thoth_gitlab_private_token: Password | None = None
    """A token for GitLab, likewise."""

    thoth_logging_no_json: Flag = False
    """1 writes log lines for people instead of JSON."""

    debug_level: LogLevel = "INFO"
    """The least important events that are logged. 1 means DEBUG, 0 means INFO."""

    sentry_dsn: Password | None = None
    """Where errors are also reported to, if anywhere."""
