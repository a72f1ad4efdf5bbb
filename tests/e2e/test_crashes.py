# SPDX-License-Identifier: GPL-3.0-or-later
"""Killed workers, rebalances and broker outages: no message is lost, and no workflow is created twice."""

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
from tests.support.polling import wait_until
from tests.support.repository_load import RUN_URL, Load
from tests.support.running_workers import SHORT_SESSION, empty_sandbox, running
from tests.support.worker_http import Scrape, metric

OUTAGE_SECONDS = 6.0  # longer than SHORT_SESSION; the test needs this duration, it does not wait for an event
IN_PROGRESS = "thoth_investigator_in_progress"
LONG_CALLS = {"THOTH_INVESTIGATOR_CALL_TIMEOUT": "120"}  # calls that hang do not time out during the test
SLOW = Fault(effect="latency", seconds=0.05)


def test_no_message_is_lost_or_handled_twice_when_a_worker_is_killed(
    sandbox: Sandbox, kafka: BlockingKafka, broker: Broker
) -> None:
    """A worker is killed three times while it processes 300 messages; each message still gets exactly one workflow."""
    chance = random.Random(3)  # noqa: S311 - seeded, so that a failure can be reproduced
    load = Load(kafka, sandbox, "killed")
    kafka.create_topics(broker, [load.topic], partitions=3)
    sandbox.cluster.faults.set(SLOW)
    worker = sandbox.worker(sandbox.env(**SHORT_SESSION))
    load.send(300)

    for run in range(3):
        with running(worker):  # kills the worker at its end
            load.wait_for(run * 60 + chance.randint(15, 50))
    assert load.created().total() < 300
    with running(worker):
        load.wait_for_all()
        load.wait_for_commits()
        assert worker.stop() == 0


def test_a_worker_takes_over_from_one_that_was_killed(sandbox: Sandbox, kafka: BlockingKafka, broker: Broker) -> None:
    """The survivor handles the messages that were in flight in the killed worker, however many later ones are done."""
    stuck, other = Load(kafka, sandbox, "stuck"), Load(kafka, sandbox, "other", RUN_URL)
    kafka.create_topics(broker, [stuck.topic, other.topic], partitions=2)
    sandbox.cluster.faults.set(SLOW, Fault(effect="hang", method="POST", body="/stuck-7"))  # matches 7 and 70 to 79
    workers = [sandbox.worker(sandbox.env(**LONG_CALLS, **SHORT_SESSION)) for _ in range(2)]

    with running(*workers):
        wait_until(lambda: kafka.members(sandbox.group()) == 2, "both workers are in the group")
        stuck.send(150)
        stuck.wait_for(139)
        other.send(150)
        other.wait_for_all()
        other.wait_for_commits()  # by then the stuck topic's commits are written as well
        victim, survivor = sorted(workers, key=lambda worker: metric(worker, IN_PROGRESS), reverse=True)
        other.send(150)
        victim.kill()
        sandbox.cluster.faults.set(SLOW)

        for load in (stuck, other):
            load.wait_for_all()
            load.wait_for_commits()
        assert metric(survivor, "thoth_investigator_failures_total") == 0


def test_in_flight_messages_are_handled_by_the_final_owner_of_their_partition(
    sandbox: Sandbox, kafka: BlockingKafka, broker: Broker
) -> None:
    """A worker joins and leaves: messages that were released for it are accepted again when the partitions return."""
    load = Load(kafka, sandbox, "moved")
    kafka.create_topics(broker, [load.topic], partitions=2)
    sandbox.cluster.faults.set(
        *(Fault(effect="hang", method="POST", body=f"/moved-{number}") for number in range(5, 9))
    )
    staying, leaving = (sandbox.worker(sandbox.env(**LONG_CALLS, **SHORT_SESSION)) for _ in range(2))

    with running(staying):
        load.send(20)
        load.wait_for(16)
        wait_until(lambda: metric(staying, IN_PROGRESS) == 4, "the other messages are in flight")
        with running(leaving):
            wait_until(lambda: kafka.members(sandbox.group()) == 2, "both workers are in the group")
        wait_until(lambda: kafka.members(sandbox.group()) == 1, "one worker has left the group")
        wait_until(lambda: metric(staying, IN_PROGRESS) == 4, "all are in flight again")
        sandbox.cluster.faults.clear()
        load.wait_for_all()
        load.wait_for_commits()
        assert staying.stop() == 0


def test_a_worker_that_hangs_beyond_its_session_timeout_rejoins_the_group(
    sandbox: Sandbox, kafka: BlockingKafka, broker: Broker
) -> None:
    """Another worker owns its partitions by then; this one keeps running, and gets partitions again."""
    load = Load(kafka, sandbox, "hung")
    kafka.create_topics(broker, [load.topic], partitions=2)
    sandbox.cluster.faults.set(SLOW)
    hung, other = (sandbox.worker(sandbox.env(**SHORT_SESSION)) for _ in range(2))

    with running(hung, other):
        wait_until(lambda: kafka.members(sandbox.group()) == 2, "both workers are in the group")
        load.send(300)
        load.wait_for(30)
        hung.process.send(signal.SIGSTOP)
        load.wait_for_all()
        load.wait_for_commits()
        hung.process.send(signal.SIGCONT)
        wait_until(lambda: kafka.members(sandbox.group()) == 2, "both workers are in the group again")
        load.send(50)
        load.wait_for_all()
        load.wait_for_commits()
        assert [hung.stop(), other.stop()] == [0, 0]


def test_a_group_with_offset_reset_latest_loses_no_message_after_its_first_start(
    sandbox: Sandbox, kafka: BlockingKafka, broker: Broker
) -> None:
    """Messages that arrive while its only worker is not running are handled, even if it had committed nothing yet."""
    load = Load(kafka, sandbox, "new")
    kafka.create_topics(broker, [load.topic])
    worker = sandbox.worker(sandbox.env(KAFKA_CONSUMER_AUTO_OFFSET_RESET="latest", **SHORT_SESSION))
    with running(worker):
        wait_until(lambda: kafka.committed(sandbox.group(), load.topic) == {0: 0}, "the start offset is committed")
    for _ in range(3):
        load.send(1)
    with running(worker):
        load.wait_for_all()


@pytest.fixture
def outage_sandbox(postgres: PostgresServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    """A sandbox with its own broker, which the test can suspend and make unreachable; external brokers can't be."""
    try:
        own = own_broker(proxied=True)
    except UnavailableError as error:
        pytest.skip(f"needs to start its own broker: {error}")
    with (
        own as broker,
        empty_sandbox(broker, postgres, tmp_path_factory.mktemp("outage")) as sandbox,
    ):
        yield sandbox


@pytest.mark.parametrize("how", ["hangs", "is unreachable"])
def test_workers_continue_after_a_broker_outage(outage_sandbox: Sandbox, how: str) -> None:
    """An outage under load that outlasts the session: no worker ends, no message is lost or handled twice."""
    broker = outage_sandbox.broker
    fail, recover = (broker.suspend, broker.wake) if how == "hangs" else (broker.close_proxy, broker.open_proxy)
    outage_sandbox.cluster.faults.set(SLOW)
    with outage_sandbox.worker(outage_sandbox.env(**SHORT_SESSION)) as worker:
        with BlockingKafka(broker.bootstrap_servers) as kafka:
            load = Load(kafka, outage_sandbox, "before")
            load.send(150)
            load.wait_for(20)
        fail()
        try:
            time.sleep(OUTAGE_SECONDS)
            assert worker.is_healthy
        finally:
            recover()

        with BlockingKafka(broker.bootstrap_servers) as kafka:
            load.kafka = kafka  # the first client is closed
            load.wait_for_all()
            after = Load(kafka, outage_sandbox, "after", RUN_URL)
            after.send(50)
            after.wait_for_all()
            for sent in (load, after):
                sent.wait_for_commits()
        scrape = Scrape(worker)
        assert scrape.value("thoth_investigator_failures_total") == 0
        assert scrape.value("thoth_investigator_halted_topics") == 0
        assert worker.stop() == 0
