# SPDX-License-Identifier: GPL-3.0-or-later
"""Three brokers, three copies of everything, two of which have to have a write: one broker at a time may die."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox.apache_kafka import ApacheKafkaCluster
from sandbox.cluster import ClusterStandIn
from sandbox.environment import Sandbox
from sandbox.package_index import PackageIndexServer
from sandbox.postgres import Database
from tests.e2e.outside import Kafka, message, metric, wait_until
from tests.kafka.operator import Operator
from tests.kafka.repositories import REPO_INIT, repositories, set_up

BATCHES, SIZE = 12, 50
EXTRACT = "thoth.package-extract-trigger"


@pytest.fixture(scope="module")
def brokers(apache: None) -> Iterator[ApacheKafkaCluster]:
    """Three brokers for these tests."""
    del apache
    with ApacheKafkaCluster() as cluster:
        yield cluster


@pytest.fixture(scope="module")
def root(brokers: ApacheKafkaCluster) -> Iterator[Operator]:
    """Somebody who may do everything there."""
    operator = Operator(brokers.bootstrap_servers)
    yield operator
    operator.close()


@pytest.fixture
def sandbox(  # noqa: PLR0913, PLR0917 - it is all of them together
    brokers: ApacheKafkaCluster,
    database: Database,
    cluster: ClusterStandIn,
    package_index: PackageIndexServer,
    deployment: str,
    tmp_path: Path,
) -> Sandbox:
    """Surroundings with these brokers."""
    (tmp_path / "sandbox").mkdir()
    return Sandbox(brokers, database, cluster, package_index, deployment, tmp_path / "sandbox")


@pytest.mark.timeout(300)
def test_brokers_that_die_and_come_back_under_load_lose_and_repeat_nothing(
    sandbox: Sandbox, brokers: ApacheKafkaCluster, root: Operator
) -> None:
    """Each of the three is killed once and comes back while two workers handle messages, good ones and bad ones."""
    topic, extract = sandbox.topic(REPO_INIT), sandbox.topic(EXTRACT)
    environment = sandbox.env(THOTH_INVESTIGATOR_ACK_ON_FAIL="1")
    with Kafka(brokers.bootstrap_servers) as kafka:
        kafka.create_topics(brokers, [topic, extract], partitions=3)
        with sandbox.worker(environment) as first, sandbox.worker(environment) as second:
            for batch in range(BATCHES):
                _stir(brokers, batch)
                good = repositories(range(batch * SIZE, (batch + 1) * SIZE))
                bad = message(environment_type=f"bad-{batch}")
                root.send_surely([*((topic, value) for value in good), (extract, bad)])
            everything = dict.fromkeys(range(BATCHES * SIZE), 1)
            wait_until(lambda: set_up(sandbox.cluster) == everything, "everything is handled once", 120)
            wait_until(
                lambda: sum(kafka.committed(sandbox.group(), topic).values()) == BATCHES * SIZE, "all is committed", 60
            )
            letters = {record.value for record in kafka.read(f"{extract}-dlt", BATCHES, timeout=60)}
            assert len(letters) == BATCHES
            assert [metric(worker, "thoth_investigator_halted_topics") for worker in (first, second)] == [0, 0]
    assert set_up(sandbox.cluster) == everything


def _stir(brokers: ApacheKafkaCluster, batch: int) -> None:
    """Kill another broker at every fourth batch, and bring it back two batches later."""
    node = brokers.nodes[batch // 4 % len(brokers.nodes)]
    if batch % 4 == 1:
        node.kill()
    if batch % 4 == 3:
        brokers.restart(node)


@pytest.mark.timeout(300)
def test_halts_outlive_the_broker_that_leads_them(sandbox: Sandbox, brokers: ApacheKafkaCluster) -> None:
    """A halt that was acknowledged is on two brokers, so it is known after the loss of any one, to new workers too."""
    topic = sandbox.topic(REPO_INIT)
    with Kafka(brokers.bootstrap_servers) as kafka:
        kafka.create_topics(brokers, [topic], partitions=3)
        with sandbox.worker() as worker:
            kafka.send(topic, message(project_url=None), partition=0)
            wait_until(lambda: metric(worker, "thoth_investigator_halted_topics") == 1, "the topic is halted")
        for node in brokers.nodes:
            node.kill()
            with sandbox.worker() as another:
                wait_until(lambda: metric(another, "thoth_investigator_halted_topics") == 1, "it is still")
            brokers.restart(node)
