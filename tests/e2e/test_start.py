# SPDX-License-Identifier: GPL-3.0-or-later
"""Starts that can't succeed: the worker ends at once, with one message that names each problem and its remedy."""

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field

import pytest

from sandbox.broker import Broker
from sandbox.environment import MODES, Sandbox
from sandbox.postgres import PASSWORD, Database, PostgresServer
from sandbox.tcp_ports import free_port
from tests.support.running_workers import empty_sandbox

REQUIRED = (
    "KAFKA_BOOTSTRAP_SERVERS",
    "KAFKA_CONSUMER_GROUP_ID",
    "THOTH_BACKEND_NAMESPACE",
    "THOTH_MIDDLETIER_NAMESPACE",
    "THOTH_INFRA_NAMESPACE",
    "THOTH_DEPLOYMENT_NAME",
    "THOTH_CEPH_BUCKET_PREFIX",
    "THOTH_CEPH_BUCKET",
    "THOTH_S3_ENDPOINT_URL",
)
ACK_ON_FAIL = '["thoth.package-release.package-released", "thoth.package-release.package-relaesed"]'
SETTINGS, DEPENDENCIES = "Invalid settings:", "The worker can't start:"
CLOSED_PORT = str(free_port())


@dataclass(frozen=True)
class Start:
    """A start that fails, and the message that the worker must print.

    Attributes:
        variables: the environment variables that differ from the sandbox's; None removes one.
        title: the first line of the message.
        says: texts that the message must contain.
        database: creates the worker's database; by default it has the current schema.
        token: the token in the worker's KUBECONFIG file; by default the valid one.
    """

    variables: dict[str, str | None] = field(default_factory=dict)
    title: str = SETTINGS
    says: tuple[str, ...] = ()
    database: Callable[[PostgresServer], Database] | None = None
    token: str = ""


def _with_other_schema_revision(server: PostgresServer) -> Database:
    database = server.graph()
    database.execute("UPDATE alembic_version SET version_num = '3f32bd5ad2ec'")
    return database


STARTS = {
    **{f"without {name}": Start({name: None}, says=(f"{name} is not set. Set it",)) for name in REQUIRED},
    "with several things wrong": Start(
        {
            "KAFKA_CONSUMER_GROUP_ID": None,
            "THOTH_S3_ENDPOINT_URL": "nowhere",
            "THOTH_CONSUMER_MODE": '["frontend"]',
            "KAFKA_SECURITY_PROTOCOL": "TLS",
            "THOTH_INVESTIGATOR_MAX_RETRIES": "many",
        },
        says=(
            "KAFKA_CONSUMER_GROUP_ID is not set",
            "THOTH_S3_ENDPOINT_URL",
            "THOTH_CONSUMER_MODE",
            "KAFKA_SECURITY_PROTOCOL",
            "THOTH_INVESTIGATOR_MAX_RETRIES",
        ),
    ),
    "with auto-commit": Start(
        {"KAFKA_CONSUMER_ENABLE_AUTO_COMMIT": "true"}, says=("KAFKA_CONSUMER_ENABLE_AUTO_COMMIT", "false")
    ),
    "with auto-commit in its other spelling": Start(
        {"KAFKA_CONSUMER_ENABLE_AUTOCOMMIT": "1"}, says=("KAFKA_CONSUMER_ENABLE_AUTOCOMMIT", "false")
    ),
    "with an unknown name in ack-on-fail": Start(
        {"THOTH_INVESTIGATOR_ACK_ON_FAIL": ACK_ON_FAIL},
        says=("THOTH_INVESTIGATOR_ACK_ON_FAIL", "'thoth.package-release.package-relaesed'"),
    ),
    "with a certificate that can't be read": Start(
        {"KAFKA_SECURITY_PROTOCOL": "SSL", "KAFKA_SSL_CA_LOCATION": "/nowhere/ca.pem"},
        says=("KAFKA_SSL_CA_LOCATION", "/nowhere/ca.pem"),
    ),
    "with a password missing for SASL": Start(
        {"KAFKA_SECURITY_PROTOCOL": "SASL_SSL", "KAFKA_SASL_MECHANISM": "PLAIN", "KAFKA_SASL_USERNAME": "fridolin"},
        says=("KAFKA_SASL_PASSWORD is not set",),
    ),
    "without Kafka": Start(
        {"KAFKA_BOOTSTRAP_SERVERS": f"127.0.0.1:{CLOSED_PORT}"},
        DEPENDENCIES,
        (f"Kafka at 127.0.0.1:{CLOSED_PORT} can't be reached", "See that it runs and that KAFKA_BOOTSTRAP_SERVERS"),
    ),
    "without PostgreSQL": Start(
        {"KNOWLEDGE_GRAPH_PORT": CLOSED_PORT},
        DEPENDENCIES,
        (f"The knowledge graph at 127.0.0.1:{CLOSED_PORT}/", "See that PostgreSQL runs there"),
    ),
    "with a wrong password of PostgreSQL": Start(
        {"KNOWLEDGE_GRAPH_PASSWORD": "rumpelstilzchen"}, DEPENDENCIES, ("authentication failed", "_PASSWORD")
    ),
    "with an empty database": Start(
        {}, DEPENDENCIES, ("has no schema yet", "initialize_schema"), database=lambda server: server.empty()
    ),
    "with a schema of another revision": Start(
        {}, DEPENDENCIES, ("has a schema of revision 3f32bd5ad2ec", "Migrate"), database=_with_other_schema_revision
    ),
    "without a cluster": Start(
        {"KUBERNETES_API_URL": f"http://127.0.0.1:{CLOSED_PORT}"}, DEPENDENCIES, ("The cluster's API", "KUBECONFIG")
    ),
    "without KUBECONFIG": Start({"KUBECONFIG": None}, DEPENDENCIES, ("KUBECONFIG",)),
    "with a token that the cluster refuses": Start(
        {}, DEPENDENCIES, ("The cluster's API", "valid token"), token="rumpelstilzchen"
    ),
    "without any dependency": Start(
        {
            "KAFKA_BOOTSTRAP_SERVERS": f"127.0.0.1:{CLOSED_PORT}",
            "KNOWLEDGE_GRAPH_PORT": CLOSED_PORT,
            "KUBERNETES_API_URL": f"http://127.0.0.1:{CLOSED_PORT}",
        },
        DEPENDENCIES,
        ("Kafka at", "The knowledge graph at", "The cluster's API"),
    ),
}


@dataclass(frozen=True)
class Result:
    """The exit status and the output of a worker."""

    status: int
    output: str


@pytest.fixture(scope="module")
def results(
    broker: Broker, postgres: PostgresServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, Future[Result]]]:
    """The results of all starts; the workers run two at a time in the background."""
    folder = tmp_path_factory.mktemp("starts")
    with empty_sandbox(broker, postgres, folder) as sandbox, ThreadPoolExecutor(2) as pool:
        yield {name: pool.submit(_run, sandbox, postgres, start) for name, start in STARTS.items()}
        pool.shutdown(cancel_futures=True)


def _run(sandbox: Sandbox, server: PostgresServer, start: Start) -> Result:
    variables = dict(start.variables)
    if start.database:
        variables.update(start.database(server).environment())
    if start.token:
        kubeconfig = sandbox.folder / "kubeconfig-with-wrong-token"
        kubeconfig.write_text((sandbox.folder / "kubeconfig").read_text().replace(sandbox.cluster.token, start.token))
        variables["KUBECONFIG"] = str(kubeconfig)
    worker = sandbox.worker(sandbox.env(MODES, None, None, **variables))
    worker.start()
    return Result(worker.wait(timeout=60), worker.log_text())


@pytest.mark.parametrize("name", STARTS)
def test_a_failed_start_names_each_problem_and_its_remedy(results: dict[str, Future[Result]], name: str) -> None:
    """It exits with status 1 and one message, without a traceback or a password."""
    result, start = results[name].result(), STARTS[name]

    assert result.status == 1
    assert result.output.count(start.title) == 1
    for words in start.says:
        assert words in result.output
    assert "Traceback" not in result.output
    for password in (PASSWORD, "rumpelstilzchen", "sandbox-token"):
        assert password not in result.output


@pytest.mark.parametrize("name", STARTS)
def test_a_failed_start_reports_only_actual_problems(results: dict[str, Future[Result]], name: str) -> None:
    """The number of problems in the message is the number of wrong variables and dependencies."""
    result = results[name].result()
    problems = [line for line in result.output.splitlines() if line.startswith("  - ")]

    assert len(problems) == {"with several things wrong": 5, "without any dependency": 3}.get(name, 1), result.output
