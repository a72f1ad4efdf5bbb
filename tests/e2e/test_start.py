# SPDX-License-Identifier: GPL-3.0-or-later
"""A start in wrong surroundings: it ends at once, with one message that says what is wrong and what to do."""

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field

import pytest

from sandbox.broker import Broker
from sandbox.environment import MODES, Sandbox
from sandbox.ports import free_port
from sandbox.postgres import PASSWORD, Database, PostgresServer
from tests.support.workers import empty_sandbox

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
SETTINGS, SURROUNDINGS = "The settings are wrong:", "The worker can't start:"
NOBODY_THERE = str(free_port())


@dataclass(frozen=True)
class Start:
    """A start with some variables different from those of the sandbox, and what it has to say; None is an absent one.

    Attributes:
        variables: what is different.
        title: how the message begins.
        says: words that it must have.
        database: makes the database that the worker is to meet instead of a proper one.
        token: the token in its KUBECONFIG file, instead of the right one.
    """

    variables: dict[str, str | None] = field(default_factory=dict)
    title: str = SETTINGS
    says: tuple[str, ...] = ()
    database: Callable[[PostgresServer], Database] | None = None
    token: str = ""


def _of_another_revision(server: PostgresServer) -> Database:
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
        {"KAFKA_BOOTSTRAP_SERVERS": f"127.0.0.1:{NOBODY_THERE}"},
        SURROUNDINGS,
        (f"Kafka at 127.0.0.1:{NOBODY_THERE} can't be reached", "See that it runs and that KAFKA_BOOTSTRAP_SERVERS"),
    ),
    "without PostgreSQL": Start(
        {"KNOWLEDGE_GRAPH_PORT": NOBODY_THERE},
        SURROUNDINGS,
        (f"The knowledge graph at 127.0.0.1:{NOBODY_THERE}/", "See that PostgreSQL runs there"),
    ),
    "with a wrong password of PostgreSQL": Start(
        {"KNOWLEDGE_GRAPH_PASSWORD": "rumpelstilzchen"}, SURROUNDINGS, ("authentication failed", "_PASSWORD")
    ),
    "with an empty database": Start(
        {}, SURROUNDINGS, ("has no schema yet", "initialize_schema"), database=lambda server: server.empty()
    ),
    "with a schema of another revision": Start(
        {}, SURROUNDINGS, ("has a schema of revision 3f32bd5ad2ec", "Migrate"), database=_of_another_revision
    ),
    "without a cluster": Start(
        {"KUBERNETES_API_URL": f"http://127.0.0.1:{NOBODY_THERE}"}, SURROUNDINGS, ("The cluster's API", "KUBECONFIG")
    ),
    "without any word where the cluster is": Start({"KUBECONFIG": None}, SURROUNDINGS, ("KUBECONFIG",)),
    "with a token that the cluster refuses": Start(
        {}, SURROUNDINGS, ("The cluster's API", "valid token"), token="rumpelstilzchen"
    ),
    "with nothing there": Start(
        {
            "KAFKA_BOOTSTRAP_SERVERS": f"127.0.0.1:{NOBODY_THERE}",
            "KNOWLEDGE_GRAPH_PORT": NOBODY_THERE,
            "KUBERNETES_API_URL": f"http://127.0.0.1:{NOBODY_THERE}",
        },
        SURROUNDINGS,
        ("Kafka at", "The knowledge graph at", "The cluster's API"),
    ),
}


@dataclass(frozen=True)
class End:
    """How a start ended."""

    status: int
    output: str


@pytest.fixture(scope="module")
def ends(
    broker: Broker, postgres: PostgresServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, Future[End]]]:
    """All of the starts, two at a time."""
    folder = tmp_path_factory.mktemp("starts")
    with empty_sandbox(broker, postgres, folder) as sandbox, ThreadPoolExecutor(2) as pool:
        yield {name: pool.submit(_end, sandbox, postgres, start) for name, start in STARTS.items()}
        pool.shutdown(cancel_futures=True)


def _end(sandbox: Sandbox, server: PostgresServer, start: Start) -> End:
    variables = dict(start.variables)
    if start.database:
        variables.update(start.database(server).environment())
    if start.token:
        kubeconfig = sandbox.folder / "kubeconfig-of-another"
        kubeconfig.write_text((sandbox.folder / "kubeconfig").read_text().replace(sandbox.cluster.token, start.token))
        variables["KUBECONFIG"] = str(kubeconfig)
    worker = sandbox.worker(sandbox.env(MODES, None, None, **variables))
    worker.start()
    return End(worker.wait(timeout=60), worker.log_text())


@pytest.mark.parametrize("name", STARTS)
def test_a_start_that_can_only_fail_says_what_to_do(ends: dict[str, Future[End]], name: str) -> None:
    """Status 1, everything that is wrong in one message with its remedy, no traceback, no password."""
    end, start = ends[name].result(), STARTS[name]

    assert end.status == 1
    assert end.output.count(start.title) == 1
    for words in start.says:
        assert words in end.output
    assert "Traceback" not in end.output
    for password in (PASSWORD, "rumpelstilzchen", "sandbox-token"):
        assert password not in end.output


@pytest.mark.parametrize("name", STARTS)
def test_a_start_says_no_more_than_what_is_wrong(ends: dict[str, Future[End]], name: str) -> None:
    """What is right is not in the list: each problem of it has to be put right."""
    end = ends[name].result()
    problems = [line for line in end.output.splitlines() if line.startswith("  - ")]

    assert len(problems) == {"with several things wrong": 5, "with nothing there": 3}.get(name, 1), end.output
