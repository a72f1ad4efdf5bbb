# SPDX-License-Identifier: GPL-3.0-or-later
"""Checks before the start of a worker: all problems are reported together, each with its remedy."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Any, TypeVar

from aiokafka.errors import (
    ClusterAuthorizationFailedError,
    KafkaConnectionError,
    KafkaError,
    TopicAuthorizationFailedError,
)
from psycopg2 import errorcodes
from sqlalchemy.exc import DBAPIError
from urllib3.exceptions import HTTPError

from investigator.argo.client import ClusterClient, DeploymentError
from investigator.argo.credentials import ClusterConfigError
from investigator.argo.http import ApiError
from investigator.errors import StartupError
from investigator.graph.database import Database
from investigator.kafka.acl_rules import topics_with, worker_permissions
from investigator.kafka.compaction import CleanupPolicyError, check_compaction
from investigator.kafka.options import client_options
from investigator.kafka.topics import Topic, create_missing, halts_topic
from investigator.preflight.cluster_permissions import missing_cluster_permissions
from investigator.preflight.kafka_connection import KAFKA_REMEDY, explain_connection_failure
from investigator.preflight.kafka_permissions import missing_permissions
from investigator.resilience.thread_pool import DaemonThreadPool
from investigator.settings import Settings

T = TypeVar("T")

_LOGGER = logging.getLogger(__name__)

# Each check sends a few small requests; a server that needs longer would not serve the worker either.
_TIMEOUT_SECONDS = 15.0
_REFUSED = (401, 403)
# How libpq says that a server has no TLS, or that its certificate is not trusted or names another host.
_TLS_WORDS = ("does not support SSL", "SSL error", "server certificate", "root certificate")


class PreflightError(StartupError):
    """The worker can't start. ``problems`` has one text for each failed check."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(["The worker can't start:", *(f"  - {problem}" for problem in problems)]))
        self.problems = problems


class _Problem(Exception):  # noqa: N818  (never leaves this module)
    """What a check found, and the remedy; the text continues a sentence about the server."""


@dataclass(frozen=True)
class Preflight:
    """The checks of one worker.

    A worker in metrics mode needs neither graph nor cluster, so they are not checked.

    Args:
        settings: the addresses and credentials of all servers.
        topics: the topics that must exist in Kafka; missing ones are created.
        database: makes the client of the graph's database.
        cluster: makes the client of the cluster's API.
        timeout: how many seconds each check may take.
    """

    settings: Settings
    topics: Sequence[Topic]
    database: Callable[[], Database]
    cluster: Callable[[], ClusterClient]
    timeout: float = _TIMEOUT_SECONDS

    async def run(self) -> None:
        """Run all checks concurrently.

        Raises:
            PreflightError: at least one check failed; the error lists all that did.
        """
        checks = [self._kafka()]
        if not self.settings.only_counts:
            checks += [self._graph(), self._cluster()]
        found = await asyncio.gather(*checks)
        if problems := [problem for problem in found if problem]:
            raise PreflightError(problems)

    async def _kafka(self) -> str | None:
        server = f"Kafka at {', '.join(self.settings.kafka_bootstrap_servers)}"
        return await self._problem(server, KAFKA_REMEDY, _check_topics(self.settings, self.topics))

    async def _graph(self) -> str | None:
        settings = self.settings
        address = f"{settings.knowledge_graph_host}:{settings.knowledge_graph_port}/{settings.knowledge_graph_database}"
        check = _in_thread(lambda: _check_schema(self.database()))
        return await self._problem(f"The knowledge graph at {address}", _GRAPH_REMEDY, check)

    async def _cluster(self) -> str | None:
        check = _in_thread(lambda: _check_cluster(self.cluster, self.settings))
        return await self._problem("The cluster's API", _CLUSTER_REMEDY, check)

    async def _problem(self, server: str, remedy: str, check: Awaitable[None]) -> str | None:
        try:
            await asyncio.wait_for(check, self.timeout)
        except _Problem as problem:
            return f"{server} {problem}"
        except asyncio.TimeoutError:
            return f"{server} does not answer within {self.timeout:g} s. {remedy}"
        except Exception as error:  # noqa: BLE001  any error is a reason not to start
            return f"{server} can't be used: {_first_line(error).rstrip('.')}. {remedy}"
        return None


_TOPICS_REMEDY = (
    "Create them yourself, or allow the worker's user to create them and set THOTH_INVESTIGATOR_TOPIC_PARTITIONS and "
    "THOTH_INVESTIGATOR_TOPIC_REPLICATION_FACTOR to values that the brokers accept."
)
_ACL_REMEDY = (
    "Grant these permissions to the worker's user, the one of KAFKA_SASL_USERNAME or of the certificate; docs/kafka.md "
    "lists all that it needs. Or set THOTH_DEPLOYMENT_NAME and KAFKA_CONSUMER_GROUP_ID to names that it may use."
)
_GRAPH_REMEDY = (
    "See that PostgreSQL runs there and that KNOWLEDGE_GRAPH_HOST, _PORT, _USER, _PASSWORD and _DATABASE are correct."
)
_GRAPH_TLS_REMEDY = (
    "Set KNOWLEDGE_GRAPH_SSL_CA_LOCATION to the certificate authority of the server, and KNOWLEDGE_GRAPH_HOST to a "
    "name in its certificate. For a server without TLS, set KNOWLEDGE_GRAPH_SSL_MODE to disable: the worker then sends "
    "the password without encryption."
)
_SCHEMA_REMEDY = (
    "Run the graph's migrations against it, or `GraphDatabase().initialize_schema()` of thoth-storages if it is a new "
    "database."
)
_CLUSTER_REMEDY = (
    "Inside the cluster, run with a service account; outside, set KUBECONFIG to a file with a valid token. "
    "KUBERNETES_API_URL, OPENSHIFT_API_URL and KUBERNETES_VERIFY_TLS must match the cluster too."
)
_ROLE_REMEDY = "The service account needs a valid token and the roles of manifests/role.yaml."


async def _in_thread(check: Callable[[], T]) -> T:
    # A daemon thread, because a server that hangs must not keep the process from ending.
    threads = DaemonThreadPool(1, "preflight")
    try:
        return await threads.run(check)
    finally:
        threads.close()


async def _check_topics(settings: Settings, topics: Sequence[Topic]) -> None:
    options = client_options(settings)
    try:
        created = await create_missing(options, topics)
    except KafkaConnectionError as error:
        raise _Problem(f"can't be reached: {await explain_connection_failure(options)}") from error
    except (TopicAuthorizationFailedError, ClusterAuthorizationFailedError) as error:
        raise _Problem(
            f"neither lists some topics nor lets the worker create them: {error.args[0]}. {_ACL_REMEDY}"
        ) from error
    except KafkaError as error:
        if error.retriable:
            raise
        raise _Problem(f"refuses to create the missing topics: {error}. {_TOPICS_REMEDY}") from error
    if created:
        _LOGGER.info("Created missing topics topics=%s", ",".join(created))
    await _check_permissions(settings, options, topics)
    try:
        await check_compaction(options, topics)
    except CleanupPolicyError as error:
        raise _Problem(f"would lose halts: {error.args[0]}") from error


async def _check_permissions(settings: Settings, options: Mapping[str, Any], topics: Sequence[Topic]) -> None:
    halts = halts_topic(settings).name
    group = settings.kafka_consumer_group_id
    needed = list(worker_permissions(group, [each.name for each in topics if each.name != halts], halts))
    read, written = topics_with(needed, "READ"), topics_with(needed, "WRITE")
    missing = await missing_permissions(options, group=group, read=read, written=written)
    if missing:
        raise _Problem(f"denies the worker permissions that it needs: {', '.join(missing)}. {_ACL_REMEDY}")


def _check_schema(database: Database) -> None:
    try:
        revision = database.get_table_alembic_version_head()
    except DBAPIError as error:
        if getattr(error.orig, "pgcode", None) == errorcodes.UNDEFINED_TABLE:
            raise _Problem(f"has no schema yet. {_SCHEMA_REMEDY}") from error
        if any(word in str(error.orig) for word in _TLS_WORDS):
            raise _Problem(f"can't be used with TLS: {_first_line(error).rstrip('.')}. {_GRAPH_TLS_REMEDY}") from error
        raise
    except TypeError as error:  # thoth-storages assumes that the table has a row
        raise _Problem(f"has a schema that was not finished. {_SCHEMA_REMEDY}") from error
    finally:
        database.disconnect()
    if revision != (expected := database.get_script_alembic_version_head()):
        raise _Problem(
            f"has a schema of revision {revision}, but this version of thoth-storages works with {expected}. Migrate "
            "the schema, or deploy the version of investigator that belongs to it."
        )


def _check_cluster(client: Callable[[], ClusterClient], settings: Settings) -> None:
    with closing(client()) as cluster:
        cluster.version()
        if missing := missing_cluster_permissions(cluster, settings):
            raise _Problem(f"denies the worker permissions that it needs: {', '.join(missing)}. {_ROLE_REMEDY}")
        _check_solvers(cluster, settings.thoth_infra_namespace)


def _check_solvers(cluster: ClusterClient, namespace: str) -> None:
    try:
        solvers = cluster.get_solver_names()
    except ApiError as error:
        if error.status in _REFUSED:
            raise _Problem(
                f"refuses to show the ConfigMap of solvers in {namespace}: {error}. {_ROLE_REMEDY}"
            ) from error
        _warn_without_solvers(error)
    except DeploymentError as error:
        _warn_without_solvers(error)
    else:
        _LOGGER.info("Found solvers in the cluster solvers=%s", ",".join(solvers))


def _warn_without_solvers(error: Exception) -> None:
    _LOGGER.warning("Could not read the list of solvers; messages that need it wait error=%s", error)


def _first_line(error: Exception) -> str:
    text = str(error.orig if isinstance(error, DBAPIError) else error).strip()
    known = isinstance(error, DBAPIError | ApiError | HTTPError | ClusterConfigError | OSError)
    return text.splitlines()[0] if known and text else f"{type(error).__name__} {text}".strip()
