# SPDX-License-Identifier: GPL-3.0-or-later
"""Workers that are killed, workers that come and go, and a broker that goes away: nothing lost, nothing done twice."""

import random
import time
from collections.abc import Iterator

import pytest

from sandbox.broker import Broker, UnavailableError, own_broker
from sandbox.environment import Sandbox
from sandbox.faults import Fault
from sandbox.postgres import PostgresServer
from tests.e2e.conftest import SHORT_SESSION, running, surroundings
from tests.e2e.load import RUN_URL, Load
from tests.e2e.outside import Kafka, Scrape, metric, wait_until

OUTAGE = 6.0  # no waiting for something: how long the broker is away is what the test is about
SLOW = Fault(effect="latency", seconds=0.05)


def wait_for_commits(kafka: Kafka, group: str, load: Load) -> None:
    """Wait until all messages of a load are committed."""
    wait_until(lambda: sum(kafka.committed(group, load.topic).values()) == len(load.urls), "all are committed")


def test_nothing_is_lost_or_done_twice_under_kill_9(sandbox: Sandbox, kafka: Kafka, broker: Broker) -> None:
    """Three hundred messages, a worker that is killed three times while it works on them: a workflow for each, once."""
    chance = random.Random(3)  # noqa: S311 - chance that can be repeated
    load = Load(kafka, sandbox, "killed")
    kafka.create_topics(broker, [load.topic], partitions=3)
    sandbox.cluster.faults.set(SLOW)
    worker = sandbox.worker(sandbox.env(**SHORT_SESSION))
    load.send(300)

    for third in range(3):
        with running(worker):
            load.wait_for(third * 60 + chance.randint(15, 50))
    assert load.created().total() < 300
    with running(worker):
        load.wait_for_all()
        wait_for_commits(kafka, sandbox.group(), load)
        assert worker.stop() == 0


def test_a_worker_takes_over_from_one_that_was_killed(sandbox: Sandbox, kafka: Kafka, broker: Broker) -> None:
    """What the dead one had in hand is done by the other one, without an operator."""
    loads = [Load(kafka, sandbox, "taken-over"), Load(kafka, sandbox, "taken-over-too", RUN_URL)]
    kafka.create_topics(broker, [load.topic for load in loads], partitions=2)
    sandbox.cluster.faults.set(SLOW)
    victim, heir = sandbox.worker(sandbox.env(**SHORT_SESSION)), sandbox.worker(sandbox.env(**SHORT_SESSION))

    with running(victim, heir):
        wait_until(lambda: kafka.members(sandbox.group()) == 2, "both share the topics")
        for load in loads:
            load.send(150)
        wait_until(lambda: sum(load.created().total() for load in loads) > 60, "work is under way")
        assert metric(victim, "thoth_investigator_processed_total") > 0
        victim.kill()

        for load in loads:
            load.wait_for_all()
            wait_for_commits(kafka, sandbox.group(), load)
        assert metric(heir, "thoth_investigator_failures_total") == 0


def test_a_group_that_begins_with_what_is_new_loses_nothing_after_its_first_start(
    sandbox: Sandbox, kafka: Kafka, broker: Broker
) -> None:
    """With `latest`, what comes while its only worker is dead is handled, though the worker had handled nothing yet."""
    load = Load(kafka, sandbox, "new")
    kafka.create_topics(broker, [load.topic])
    worker = sandbox.worker(sandbox.env(KAFKA_CONSUMER_AUTO_OFFSET_RESET="latest", **SHORT_SESSION))
    with running(worker):
        wait_until(lambda: kafka.committed(sandbox.group(), load.topic) == {0: 0}, "it is committed where it began")
    for _ in range(3):
        load.send(1)
    with running(worker):
        load.wait_for_all()


@pytest.fixture
def gated(postgres: PostgresServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    """Surroundings with a broker that can be made unreachable, which one that somebody else runs can't."""
    try:
        own = own_broker(gated=True)
    except UnavailableError as error:
        pytest.skip(f"needs a broker of its own: {error}")
    with (
        own as broker,
        surroundings(broker, postgres, tmp_path_factory.mktemp("gated")) as sandbox,
    ):
        yield sandbox


@pytest.mark.parametrize("how", ["hangs", "is unreachable"])
def test_work_goes_on_when_the_broker_is_back(gated: Sandbox, how: str) -> None:
    """Away for longer than a session lasts, under load: no worker ends, no message is lost, none is handled twice."""
    broker = gated.broker
    gone, back = (broker.suspend, broker.wake) if how == "hangs" else (broker.close_gate, broker.open_gate)
    gated.cluster.faults.set(SLOW)
    with gated.worker(gated.env(**SHORT_SESSION)) as worker:
        with Kafka(broker.bootstrap_servers) as kafka:
            load = Load(kafka, gated, "before")
            load.send(150)
            load.wait_for(20)
        gone()
        try:
            time.sleep(OUTAGE)
            assert worker.is_healthy
        finally:
            back()

        with Kafka(broker.bootstrap_servers) as kafka:
            load.wait_for_all()
            after = Load(kafka, gated, "after", RUN_URL)
            after.send(50)
            after.wait_for_all()
            wait_for_commits(kafka, gated.group(), after)
        scrape = Scrape(worker)
        assert scrape.value("thoth_investigator_failures_total") == 0
        assert scrape.value("thoth_investigator_halted_topics") == 0
        assert worker.stop() == 0
