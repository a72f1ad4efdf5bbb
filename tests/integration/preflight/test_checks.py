# SPDX-License-Identifier: GPL-3.0-or-later
from pathlib import Path

import pytest
from aiokafka.admin import AIOKafkaAdminClient
from kubernetes.config import kube_config

from investigator.argo.client import ClusterClient
from investigator.kafka.topics import Topic
from investigator.preflight.checks import PreflightError
from sandbox.broker import Broker
from sandbox.faults import Fault
from sandbox.postgres import PostgresServer
from sandbox.tcp_ports import HOST, free_port
from tests.integration.preflight.surroundings import Surroundings


async def test_missing_topics_are_created_and_existing_ones_are_not_changed(
    surroundings: Surroundings, broker: Broker
) -> None:
    """A worker can start on a new broker, and does not change the topics of an existing deployment."""
    await broker.create_topics(["ocp4-stage.old"], partitions=1)
    surroundings.topics = [Topic("ocp4-stage.old", 6, 1), Topic("ocp4-stage.new", 6, 1)]
    await surroundings.check()
    await surroundings.check()
    admin = AIOKafkaAdminClient(bootstrap_servers=broker.bootstrap_servers)
    try:
        await admin.start()
        described = await admin.describe_topics(["ocp4-stage.old", "ocp4-stage.new"])
    finally:
        await admin.close()
    assert {topic["topic"]: len(topic["partitions"]) for topic in described} == {
        "ocp4-stage.old": 1,
        "ocp4-stage.new": 6,
    }


async def test_unavailable_kafka_is_reported_with_the_reason(surroundings: Surroundings) -> None:
    """The problem names the server, the error and the variables."""
    port = free_port()
    surroundings.variables["KAFKA_BOOTSTRAP_SERVERS"] = f"{HOST}:{port}"
    problem = await surroundings.problem()
    assert problem.startswith(f"Kafka at {HOST}:{port} can't be reached: {HOST}:{port}: ")
    assert "refused" in problem.lower() or "connect" in problem.lower()
    assert "KAFKA_BOOTSTRAP_SERVERS" in problem


async def test_unavailable_postgres_is_reported_with_the_reason(surroundings: Surroundings) -> None:
    """The problem names the server, the error and the variables."""
    port = free_port()
    surroundings.variables["KNOWLEDGE_GRAPH_PORT"] = str(port)
    problem = await surroundings.problem()
    assert problem.startswith(f"The knowledge graph at {HOST}:{port}/")
    assert "refused" in problem
    assert "KNOWLEDGE_GRAPH_HOST" in problem


async def test_a_wrong_password_of_the_graph_is_reported_without_showing_it(surroundings: Surroundings) -> None:
    """The reason is the text of PostgreSQL."""
    surroundings.variables["KNOWLEDGE_GRAPH_PASSWORD"] = "not-the-password"
    problem = await surroundings.problem()
    assert "password authentication failed" in problem
    assert "not-the-password" not in problem


async def test_a_missing_database_is_reported(surroundings: Surroundings) -> None:
    """The server answers, but does not have the database."""
    surroundings.variables["KNOWLEDGE_GRAPH_DATABASE"] = "elsewhere"
    assert 'database "elsewhere" does not exist' in await surroundings.problem()


async def test_a_database_without_a_schema_is_reported_with_its_own_remedy(
    surroundings: Surroundings, postgres: PostgresServer
) -> None:
    """It differs from that for an unavailable server."""
    surroundings.variables |= postgres.empty().environment()
    problem = await surroundings.problem()
    assert "has no schema yet" in problem
    assert "initialize_schema" in problem


async def test_a_schema_of_another_revision_is_refused(surroundings: Surroundings, postgres: PostgresServer) -> None:
    """A worker whose library does not know the schema would write wrong rows or fail on every message."""
    other = postgres.graph()
    other.execute("UPDATE alembic_version SET version_num = 'aaaaaaaaaaaa'")
    surroundings.variables |= other.environment()
    problem = await surroundings.problem()
    assert "has a schema of revision aaaaaaaaaaaa, but this version of thoth-storages works with " in problem


async def test_an_incomplete_schema_is_refused(surroundings: Surroundings, postgres: PostgresServer) -> None:
    """A migration that was killed leaves the table of revisions without a row."""
    other = postgres.graph()
    other.execute("DELETE FROM alembic_version")
    surroundings.variables |= other.environment()
    assert "has a schema that was not finished" in await surroundings.problem()


async def test_an_unavailable_cluster_is_reported_with_the_reason(surroundings: Surroundings) -> None:
    """The problem names the error, and the variable that the address comes from."""
    text = surroundings.kubeconfig.read_text("utf-8")
    surroundings.kubeconfig.write_text(text.replace(surroundings.cluster.url, f"http://{HOST}:{free_port()}"), "utf-8")
    problem = await surroundings.problem()
    assert problem.startswith("The cluster's API can't be used: ")
    assert "refused" in problem
    assert "KUBECONFIG" in problem


async def test_the_client_of_the_cluster_is_closed(surroundings: Surroundings, monkeypatch: pytest.MonkeyPatch) -> None:
    """The worker uses another client; also where the check fails, this one keeps no connection open."""
    closed: list[ClusterClient] = []
    close = ClusterClient.close

    def note_and_close(client: ClusterClient) -> None:
        closed.append(client)
        close(client)

    monkeypatch.setattr(ClusterClient, "close", note_and_close)
    await surroundings.check()
    surroundings.cluster.token = "another"
    await surroundings.problem()
    assert len(closed) == 2


async def test_a_refused_token_is_reported(surroundings: Surroundings) -> None:
    """The check finds an expired token before the first message does."""
    surroundings.cluster.token = "another"
    problem = await surroundings.problem()
    assert "401" in problem
    assert "KUBECONFIG" in problem


async def test_missing_credentials_of_the_cluster_are_reported(
    surroundings: Surroundings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Outside of a cluster and without KUBECONFIG, no address is known."""
    del surroundings.variables["KUBECONFIG"]
    monkeypatch.setattr(kube_config, "KUBE_CONFIG_DEFAULT_LOCATION", str(tmp_path / "absent"))
    assert "KUBECONFIG" in await surroundings.problem()


async def test_a_missing_role_for_the_list_of_solvers_is_reported(surroundings: Surroundings) -> None:
    """The token is valid, but the service account does not have the permissions of the handlers."""
    surroundings.cluster.faults.set(Fault(effect="status", path="*/configmaps/solvers", status=403))
    problem = await surroundings.problem()
    assert "refuses to show the ConfigMap of solvers" in problem
    assert "manifests" in problem


async def test_an_empty_list_of_solvers_is_only_a_warning(
    surroundings: Surroundings, caplog: pytest.LogCaptureFixture
) -> None:
    """The ConfigMap may be replaced at this moment; messages that need a solver wait."""
    surroundings.cluster.solvers = []
    await surroundings.check()
    assert "Could not read the list of solvers" in caplog.text


async def test_a_missing_list_of_solvers_is_only_a_warning(
    surroundings: Surroundings, caplog: pytest.LogCaptureFixture
) -> None:
    """Solvers may be installed later; everything else works without them."""
    surroundings.cluster.faults.set(Fault(effect="status", path="*/configmaps/solvers", status=404))
    await surroundings.check()
    assert "Could not read the list of solvers" in caplog.text


async def test_a_check_of_an_api_that_hangs_times_out(surroundings: Surroundings) -> None:
    """The start never hangs."""
    surroundings.timeout = 3
    surroundings.cluster.faults.set(Fault(effect="hang"))
    with pytest.raises(PreflightError) as caught:
        await surroundings.check()
    assert "The cluster's API does not answer within 3 s" in str(caught.value)


async def test_all_problems_are_reported_together(surroundings: Surroundings) -> None:
    """The operator does not need one start for each problem."""
    surroundings.variables["KAFKA_BOOTSTRAP_SERVERS"] = f"{HOST}:{free_port()}"
    surroundings.variables["KNOWLEDGE_GRAPH_PORT"] = str(free_port())
    surroundings.cluster.token = "another"
    with pytest.raises(PreflightError) as caught:
        await surroundings.check()
    assert [problem.split(" ")[1] for problem in caught.value.problems] == ["at", "knowledge", "cluster's"]


async def test_a_worker_in_metrics_mode_needs_neither_graph_nor_cluster(surroundings: Surroundings) -> None:
    """A deployment in metrics mode may have no credentials for them."""
    surroundings.variables["THOTH_CONSUMER_MODE"] = "metrics"
    surroundings.variables["KNOWLEDGE_GRAPH_PORT"] = str(free_port())
    surroundings.cluster.token = "another"
    await surroundings.check()
