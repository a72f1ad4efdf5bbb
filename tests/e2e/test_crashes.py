# SPDX-License-Identifier: GPL-3.0-or-later
"""Workers that are killed, workers that come and go, and a broker that goes away: nothing lost, nothing done twice."""

import random
import signal
import time
from collections.abc import Iterator

import pytest

from sandbox.broker import Broker, UnavailableError, own_broker
from sandbox.environment import Sandbox
from sandbox.faults import Fault
from sandbox.postgres import PostgresServer
from tests.support.blocking_kafka import BlockingKafka
from tests.support.load import RUN_URL, Load
from tests.support.polling import wait_until
from tests.support.worker_http import Scrape, metric
from tests.support.workers import SHORT_SESSION, empty_sandbox, running

OUTAGE = 6.0  # no waiting for something: how long the broker is away is what the test is about
IN_PROGRESS = "thoth_investigator_in_progress"
PATIENT = {"THOTH_INVESTIGATOR_CALL_TIMEOUT": "120"}  # with calls that hang
SLOW = Fault(effect="latency", seconds=0.05)


def wait_for_commits(kafka: BlockingKafka, group: str, load: Load) -> None:
    """Wait until all messages of a load are committed."""
    wait_until(lambda: sum(kafka.committed(group, load.topic).values()) == len(load.urls), "all are committed")


def test_nothing_is_lost_or_done_twice_under_kill_9(sandbox: Sandbox, kafka: BlockingKafka, broker: Broker) -> None:
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


def test_a_worker_takes_over_from_one_that_was_killed(sandbox: Sandbox, kafka: BlockingKafka, broker: Broker) -> None:
    """What the dead one had in hand is done by the other one, however much behind it was done and committed."""
    stuck, other = Load(kafka, sandbox, "stuck"), Load(kafka, sandbox, "other", RUN_URL)
    kafka.create_topics(broker, [stuck.topic, other.topic], partitions=2)
    sandbox.cluster.faults.set(SLOW, Fault(effect="hang", method="POST", body="/stuck-7"))  # 7 and 70 to 79
    workers = [sandbox.worker(sandbox.env(**PATIENT, **SHORT_SESSION)) for _ in range(2)]

    with running(*workers):
        wait_until(lambda: kafka.members(sandbox.group()) == 2, "both share the topics")
        stuck.send(150)
        stuck.wait_for(139)
        other.send(150)
        other.wait_for_all()
        wait_for_commits(kafka, sandbox.group(), other)  # and with them those of the topic where some are stuck
        victim, heir = sorted(workers, key=lambda worker: metric(worker, IN_PROGRESS), reverse=True)
        other.send(150)
        victim.kill()
        sandbox.cluster.faults.set(SLOW)

        for load in (stuck, other):
            load.wait_for_all()
            wait_for_commits(kafka, sandbox.group(), load)
        assert metric(heir, "thoth_investigator_failures_total") == 0


def test_what_is_in_hand_is_done_by_whoever_has_its_partition_in_the_end(
    sandbox: Sandbox, kafka: BlockingKafka, broker: Broker
) -> None:
    """A worker comes and goes: what was let go of for it is taken up anew when the partitions are back."""
    load = Load(kafka, sandbox, "moved")
    kafka.create_topics(broker, [load.topic], partitions=2)
    sandbox.cluster.faults.set(
        *(Fault(effect="hang", method="POST", body=f"/moved-{number}") for number in range(5, 9))
    )
    stays, goes = (sandbox.worker(sandbox.env(**PATIENT, **SHORT_SESSION)) for _ in range(2))

    with running(stays):
        load.send(20)
        load.wait_for(16)
        wait_until(lambda: metric(stays, IN_PROGRESS) == 4, "the others are in hand")
        with running(goes):
            wait_until(lambda: kafka.members(sandbox.group()) == 2, "both share the topic")
        wait_until(lambda: kafka.members(sandbox.group()) == 1, "one of them is gone")
        wait_until(lambda: metric(stays, IN_PROGRESS) == 4, "all are in hand again")
        sandbox.cluster.faults.clear()
        load.wait_for_all()
        wait_for_commits(kafka, sandbox.group(), load)
        assert stays.stop() == 0


def test_a_worker_that_hung_for_longer_than_its_session_comes_back(
    sandbox: Sandbox, kafka: BlockingKafka, broker: Broker
) -> None:
    """Its partitions have gone to another one by then, so its commits are refused, which is no reason to end."""
    load = Load(kafka, sandbox, "hung")
    kafka.create_topics(broker, [load.topic], partitions=2)
    sandbox.cluster.faults.set(SLOW)
    hung, heir = (sandbox.worker(sandbox.env(**SHORT_SESSION)) for _ in range(2))

    with running(hung, heir):
        wait_until(lambda: kafka.members(sandbox.group()) == 2, "both share the topic")
        load.send(300)
        load.wait_for(30)
        hung.process.send(signal.SIGSTOP)
        load.wait_for_all()
        wait_for_commits(kafka, sandbox.group(), load)
        hung.process.send(signal.SIGCONT)
        wait_until(lambda: kafka.members(sandbox.group()) == 2, "both share the topic again")
        load.send(50)
        load.wait_for_all()
        wait_for_commits(kafka, sandbox.group(), load)
        assert [hung.stop(), heir.stop()] == [0, 0]
        assert "Not committed, since the partitions were assigned anew" in hung.log_text()


def test_a_group_that_begins_with_what_is_new_loses_nothing_after_its_first_start(
    sandbox: Sandbox, kafka: BlockingKafka, broker: Broker
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
        empty_sandbox(broker, postgres, tmp_path_factory.mktemp("gated")) as sandbox,
    ):
        yield sandbox


@pytest.mark.parametrize("how", ["hangs", "is unreachable"])
def test_work_goes_on_when_the_broker_is_back(gated: Sandbox, how: str) -> None:
    """Away for longer than a session lasts, under load: no worker ends, no message is lost, none is handled twice."""
    broker = gated.broker
    gone, back = (broker.suspend, broker.wake) if how == "hangs" else (broker.close_gate, broker.open_gate)
    gated.cluster.faults.set(SLOW)
    with gated.worker(gated.env(**SHORT_SESSION)) as worker:
        with BlockingKafka(broker.bootstrap_servers) as kafka:
            load = Load(kafka, gated, "before")
            load.send(150)
            load.wait_for(20)
        gone()
        try:
            time.sleep(OUTAGE)
            assert worker.is_healthy
        finally:
            back()

        with BlockingKafka(broker.bootstrap_servers) as kafka:
            load.wait_for_all()
            after = Load(kafka, gated, "after", RUN_URL)
            after.send(50)
            after.wait_for_all()
            for sent in (load, after):
                wait_for_commits(kafka, gated.group(), sent)
        scrape = Scrape(worker)
        assert scrape.value("thoth_investigator_failures_total") == 0
        assert scrape.value("thoth_investigator_halted_topics") == 0
        assert worker.stop() == 0
