# SPDX-License-Identifier: GPL-3.0-or-later
"""A worker that continues after its session timeout decides nothing about messages that have another owner by then."""

import json
import signal
import time

from sandbox.broker import Broker
from sandbox.environment import Sandbox
from sandbox.faults import Fault
from sandbox.worker import Worker
from tests.support.blocking_kafka import BlockingKafka, message
from tests.support.polling import wait_until
from tests.support.repository_load import REPO_INIT
from tests.support.running_workers import SHORT_SESSION, running
from tests.support.worker_http import metric

IN_PROGRESS = "thoth_investigator_in_progress"
HALTED = "thoth_investigator_halted_topics"
URL = "https://example.com/suspended"

# The cluster refuses the workflow permanently, after a while in which the worker can be suspended.
REFUSED = (
    Fault(effect="latency", method="POST", body=URL, seconds=4),
    Fault(effect="status", method="POST", body=URL, status=422),
)
SETTLED_SECONDS = 6.0  # a worker that continues has decided, joined the group again and read the halts by then


def test_a_message_gets_one_dead_letter_though_its_former_owner_fails_it_too(
    sandbox: Sandbox, kafka: BlockingKafka, broker: Broker
) -> None:
    """The answer of the cluster is waiting for the former owner when that continues."""
    topic = sandbox.topic(REPO_INIT)
    kafka.create_topics(broker, [topic])
    sandbox.cluster.faults.set(*REFUSED)
    environment = sandbox.env(THOTH_INVESTIGATOR_ACK_ON_FAIL="1", **SHORT_SESSION)
    former, owner = sandbox.worker(environment), sandbox.worker(environment)
    with running(former):
        _suspend_with_a_message(former, kafka, topic)
        with running(owner):
            wait_until(lambda: len(kafka.read(f"{topic}-dlt", 1, 3)) == 1, "the new owner writes the dead letter", 60)
            _continue(former, kafka, sandbox)
            assert len(kafka.read(f"{topic}-dlt", 2, 3)) == 1
            assert [former.stop(), owner.stop()] == [0, 0]


def test_a_topic_is_not_halted_over_a_message_that_its_new_owner_has_handled(
    sandbox: Sandbox, kafka: BlockingKafka, broker: Broker
) -> None:
    """Nobody would know why it is halted: the message is done."""
    topic = sandbox.topic(REPO_INIT)
    kafka.create_topics(broker, [topic])
    sandbox.cluster.faults.set(*REFUSED)
    former, owner = (sandbox.worker(sandbox.env(**SHORT_SESSION)) for _ in range(2))
    with running(former):
        _suspend_with_a_message(former, kafka, topic)
        time.sleep(REFUSED[0].seconds)  # the refusal has been sent
        sandbox.cluster.faults.clear()
        with running(owner):
            wait_until(lambda: kafka.committed(sandbox.group(), topic) == {0: 1}, "the new owner handles it", 60)
            _continue(former, kafka, sandbox)
            assert [metric(worker, HALTED) for worker in (former, owner)] == [0, 0]
            assert _halts(kafka, sandbox) == []


def _suspend_with_a_message(worker: Worker, kafka: BlockingKafka, topic: str) -> None:
    """Send a message, and suspend the worker while it handles that."""
    kafka.send(topic, message(project_url=URL))
    wait_until(lambda: metric(worker, IN_PROGRESS) == 1, "the message is being handled")
    worker.process.send(signal.SIGSTOP)


def _continue(worker: Worker, kafka: BlockingKafka, sandbox: Sandbox) -> None:
    """Let the suspended worker continue, join the group of two again, and decide about its message."""
    worker.process.send(signal.SIGCONT)
    wait_until(lambda: kafka.members(sandbox.group()) == 2, "the former owner is in the group again")
    time.sleep(SETTLED_SECONDS)


def _halts(kafka: BlockingKafka, sandbox: Sandbox) -> list[list[object]]:
    """Return the keys of all halts that were ever written; a key with the group alone is a marker."""
    records = kafka.read(sandbox.topic("thoth.investigator.halts"), 10, 3)
    keys = [json.loads(record.key) for record in records]
    return [key for key in keys if len(key) > 1]
