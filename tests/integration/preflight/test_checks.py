# SPDX-License-Identifier: GPL-3.0-or-later
from functools import partial
from pathlib import Path

import pytest
from aiokafka.admin import AIOKafkaAdminClient
from kubernetes.config import kube_config

from investigator.kafka.topics import Topic
from investigator.preflight.checks import Preflight, PreflightError
from investigator.services import build_cluster, build_database
from investigator.settings import load_settings
from sandbox.broker import Broker
from sandbox.cluster import ClusterStandIn
from sandbox.faults import Fault
from sandbox.ports import HOST, free_port
from sandbox.postgres import Database, PostgresServer
from tests.unit.settings.test_loader import REQUIRED

TOPICS = [Topic("ocp4-stage.thoth.repo-init", 3, 1)]


class Surroundings:
    """Where everything is; a test points one thing elsewhere to see what is said about it."""

    def __init__(self, broker: Broker, database: Database, cluster: ClusterStandIn, folder: Path) -> None:
        self.cluster = cluster
        self.kubeconfig = folder / "kubeconfig"
        self.variables = {
            **REQUIRED,
            **database.environment(),
            **cluster.environment("ocp4-stage"),
            "KAFKA_BOOTSTRAP_SERVERS": broker.bootstrap_servers,
            "KUBECONFIG": str(self.kubeconfig),
        }
        self.topics = TOPICS
        self.patience = 10.0

    async def check(self) -> None:
        """Run the checks."""
        settings = load_settings(self.variables)
        database, cluster = partial(build_database, settings), partial(build_cluster, settings)
        await Preflight(settings, self.topics, database, cluster, self.patience).run()

    async def problem(self) -> str:
        """Run the checks and give the one problem that they find."""
        with pytest.raises(PreflightError) as caught:
            await self.check()
        (problem,) = caught.value.problems
        assert problem in str(caught.value)
        return problem


@pytest.fixture
def surroundings(broker: Broker, database: Database, cluster: ClusterStandIn, tmp_path: Path) -> Surroundings:
    """Give surroundings in which everything is as it should be."""
    return Surroundings(broker, database, cluster, tmp_path)


async def test_missing_topics_are_created_and_existing_ones_left_alone(
    surroundings: Surroundings, broker: Broker
) -> None:
    """A worker starts on a new broker by itself, and does not touch topics of a deployment that exists."""
    await broker.create_topics(["ocp4-stage.old"], partitions=1)
    surroundings.topics = [Topic("ocp4-stage.old", 6, 1), Topic("ocp4-stage.new", 6, 1)]
    await surroundings.check()
    await surroundings.check()
    admin = AIOKafkaAdminClient(bootstrap_servers=broker.bootstrap_servers)
    await admin.start()
    described = await admin.describe_topics(["ocp4-stage.old", "ocp4-stage.new"])
    await admin.close()
    assert {topic["topic"]: len(topic["partitions"]) for topic in described} == {
        "ocp4-stage.old": 1,
        "ocp4-stage.new": 6,
    }


async def test_kafka_that_is_not_there_is_named_with_the_reason(surroundings: Surroundings) -> None:
    """The operator sees which server was tried, what happened, and which variables matter."""
    port = free_port()
    surroundings.variables["KAFKA_BOOTSTRAP_SERVERS"] = f"{HOST}:{port}"
    problem = await surroundings.problem()
    assert problem.startswith(f"Kafka at {HOST}:{port} can't be reached: {HOST}:{port}: ")
    assert "refused" in problem.lower() or "connect" in problem.lower()
    assert "KAFKA_BOOTSTRAP_SERVERS" in problem


async def test_postgres_that_is_not_there_is_named_with_the_reason(surroundings: Surroundings) -> None:
    """Likewise for the graph's server."""
    port = free_port()
    surroundings.variables["KNOWLEDGE_GRAPH_PORT"] = str(port)
    problem = await surroundings.problem()
    assert problem.startswith(f"The knowledge graph at {HOST}:{port}/")
    assert "refused" in problem
    assert "KNOWLEDGE_GRAPH_HOST" in problem


async def test_a_refused_password_of_the_graph_is_said_without_it(surroundings: Surroundings) -> None:
    """The reason is PostgreSQL's own; the password is not in it."""
    surroundings.variables["KNOWLEDGE_GRAPH_PASSWORD"] = "not-the-password"
    problem = await surroundings.problem()
    assert "password authentication failed" in problem
    assert "not-the-password" not in problem


async def test_a_database_that_does_not_exist_is_named(surroundings: Surroundings) -> None:
    """The server answers, but there is no such database."""
    surroundings.variables["KNOWLEDGE_GRAPH_DATABASE"] = "elsewhere"
    assert 'database "elsewhere" does not exist' in await surroundings.problem()


async def test_a_database_without_a_schema_is_told_apart(surroundings: Surroundings, postgres: PostgresServer) -> None:
    """The remedy is another one than for a server that is not there."""
    surroundings.variables |= postgres.empty().environment()
    problem = await surroundings.problem()
    assert "has no schema yet" in problem
    assert "initialize_schema" in problem


async def test_a_schema_of_another_revision_is_refused(surroundings: Surroundings, postgres: PostgresServer) -> None:
    """A worker whose library does not know the schema would write nonsense or fail at every message."""
    other = postgres.graph()
    other.execute("UPDATE alembic_version SET version_num = 'aaaaaaaaaaaa'")
    surroundings.variables |= other.environment()
    problem = await surroundings.problem()
    assert "has a schema of revision aaaaaaaaaaaa, but this version of thoth-storages works with " in problem


async def test_a_schema_that_was_left_half_made_is_refused(
    surroundings: Surroundings, postgres: PostgresServer
) -> None:
    """A migration that died leaves the table of revisions without a row."""
    other = postgres.graph()
    other.execute("DELETE FROM alembic_version")
    surroundings.variables |= other.environment()
    assert "has a schema that was not finished" in await surroundings.problem()


async def test_a_cluster_that_is_not_there_is_named_with_the_reason(surroundings: Surroundings) -> None:
    """The operator sees what was tried and where the address comes from."""
    text = surroundings.kubeconfig.read_text("utf-8")
    surroundings.kubeconfig.write_text(text.replace(surroundings.cluster.url, f"http://{HOST}:{free_port()}"), "utf-8")
    problem = await surroundings.problem()
    assert problem.startswith("The cluster's API can't be used: ")
    assert "refused" in problem
    assert "KUBECONFIG" in problem


async def test_a_refused_token_is_named(surroundings: Surroundings) -> None:
    """An expired login is found at the start, not at the first message."""
    surroundings.cluster.token = "another"
    problem = await surroundings.problem()
    assert "401" in problem
    assert "KUBECONFIG" in problem


async def test_no_login_at_all_is_named(
    surroundings: Surroundings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Outside of a cluster and without KUBECONFIG there is nothing to try."""
    del surroundings.variables["KUBECONFIG"]
    monkeypatch.setattr(kube_config, "KUBE_CONFIG_DEFAULT_LOCATION", str(tmp_path / "absent"))
    assert "KUBECONFIG" in await surroundings.problem()


async def test_a_role_that_lacks_the_solvers_is_named(surroundings: Surroundings) -> None:
    """The token is accepted, but the service account may not do what handlers do."""
    surroundings.cluster.faults.set(Fault(effect="status", path="*/configmaps/solvers", status=403))
    problem = await surroundings.problem()
    assert "refuses to show the ConfigMap of solvers" in problem
    assert "manifests" in problem


async def test_missing_solvers_are_only_worth_a_warning(
    surroundings: Surroundings, caplog: pytest.LogCaptureFixture
) -> None:
    """They may be installed later; everything else works without them."""
    surroundings.cluster.faults.set(Fault(effect="status", path="*/configmaps/solvers", status=404))
    await surroundings.check()
    assert "the list of solvers can't be read" in caplog.text


async def test_an_api_that_hangs_is_given_up_in_time(surroundings: Surroundings) -> None:
    """The start never hangs."""
    surroundings.patience = 3
    surroundings.cluster.faults.set(Fault(effect="hang"))
    with pytest.raises(PreflightError) as caught:
        await surroundings.check()
    assert "The cluster's API does not answer within 3 s" in str(caught.value)


async def test_everything_that_is_wrong_is_listed_at_once(surroundings: Surroundings) -> None:
    """Nobody has to start the worker again and again to learn what else is not there."""
    surroundings.variables["KAFKA_BOOTSTRAP_SERVERS"] = f"{HOST}:{free_port()}"
    surroundings.variables["KNOWLEDGE_GRAPH_PORT"] = str(free_port())
    surroundings.cluster.token = "another"
    with pytest.raises(PreflightError) as caught:
        await surroundings.check()
    assert [problem.split(" ")[1] for problem in caught.value.problems] == ["at", "knowledge", "cluster's"]


async def test_a_worker_that_only_counts_needs_neither_graph_nor_cluster(surroundings: Surroundings) -> None:
    """A metrics deployment may lack those credentials."""
    surroundings.variables["THOTH_CONSUMER_MODE"] = "metrics"
    surroundings.variables["KNOWLEDGE_GRAPH_PORT"] = str(free_port())
    surroundings.cluster.token = "another"
    await surroundings.check()
