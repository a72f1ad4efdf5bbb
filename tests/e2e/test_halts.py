# SPDX-License-Identifier: GPL-3.0-or-later
"""Halted topics: all workers of the group halt them, other topics continue, no message is lost or handled twice."""

from collections.abc import Iterator

import pytest

from sandbox.broker import Broker
from sandbox.environment import Sandbox
from sandbox.faults import Fault
from sandbox.worker import Worker
from tests.e2e.forms import forms
from tests.support.blocking_kafka import BlockingKafka, message
from tests.support.polling import wait_until
from tests.support.repository_load import RUN_URL, Load
from tests.support.running_workers import running
from tests.support.worker_http import get_json, metric

HALTED = "thoth_investigator_halted_topics"
PROCESSED = "thoth_investigator_processed_total"
JUSTIFICATION = "thoth.advise-reporter.advise-justification"
MODES = ("backend", "metrics")
FORMS = forms("https://example.com/simple", frozenset())

Pair = tuple[Worker, Worker]


@pytest.fixture(scope="module")
def pair(shared_sandbox: Sandbox, broker: Broker, kafka: BlockingKafka) -> Iterator[Pair]:
    """Two workers of one group, on topics that have one partition each."""
    kafka.create_topics(broker, map(shared_sandbox.topic, FORMS))
    workers = shared_sandbox.worker(shared_sandbox.env(MODES)), shared_sandbox.worker(shared_sandbox.env(MODES))
    with running(*workers):
        wait_for_members(shared_sandbox, kafka, 2)
        yield workers


def wait_for_members(shared_sandbox: Sandbox, kafka: BlockingKafka, number: int) -> None:
    """Wait until the group has this number of members."""
    wait_until(lambda: kafka.members(shared_sandbox.group(MODES)) == number, f"the group has {number} members")


def total(workers: Pair, name: str, **labels: str) -> float:
    """Return the sum of a metric over both workers."""
    return sum(metric(worker, name, **labels) for worker in workers)


def wait_for_halt(workers: Pair, base_name: str, *, halted: bool = True) -> None:
    """Wait until the metrics of both workers show a topic as halted, or as not halted."""
    for worker in workers:
        wait_until(
            lambda: metric(worker, HALTED, base_topic_name=base_name) == halted,  # noqa: B023 - called in this iteration
            f"{worker.url} shows {base_name} as {'halted' if halted else 'running'}",
        )


def operate(worker: Worker, path: str) -> None:
    """Request a halt or a resume of a worker; raise AssertionError if it does not succeed."""
    status, content = get_json(worker, path)
    assert (status, content["message"][:12]) == (200, "Successfully")


def test_two_workers_share_topics_of_one_partition(pair: Pair, shared_sandbox: Sandbox, kafka: BlockingKafka) -> None:
    """Each worker gets half of the topics if all have one partition, as they have in existing deployments."""
    for base_name, form in FORMS.items():
        kafka.send(shared_sandbox.topic(base_name), message(form.required()))
    wait_until(lambda: total(pair, PROCESSED) == len(FORMS), "one message of each type is handled")

    assert sorted(metric(worker, PROCESSED) for worker in pair) == [len(FORMS) // 2, len(FORMS) - len(FORMS) // 2]


def test_a_halted_topic_keeps_its_backlog_while_another_topic_continues(
    pair: Pair, shared_sandbox: Sandbox, kafka: BlockingKafka
) -> None:
    """One worker halts it, the other resumes it: 5,000 messages wait until the resume, then are handled once each."""
    backlog = 5000
    before = total(pair, PROCESSED, message_type="advise_justification")
    fields = {**FORMS[JUSTIFICATION].required(), "justification_type": "BACKLOG", "count": 1}
    operate(pair[0], f"/halt/{JUSTIFICATION}")
    wait_for_halt(pair, JUSTIFICATION)

    kafka.send_all(shared_sandbox.topic(JUSTIFICATION), [message(fields)] * backlog)
    beside = Load(kafka, shared_sandbox, "beside", RUN_URL)
    beside.send(300)
    beside.wait_for_all()
    assert total(pair, PROCESSED, message_type="advise_justification") == before

    operate(pair[1], f"/resume/{JUSTIFICATION}")
    wait_until(
        lambda: total(pair, PROCESSED, message_type="advise_justification") == before + backlog, "all are handled", 60
    )
    counted = "thoth_advise_justification_type_number"
    assert total(pair, counted, justification_type="BACKLOG") == backlog
    group, topic = shared_sandbox.group(MODES), shared_sandbox.topic(JUSTIFICATION)
    wait_until(lambda: kafka.committed(group, topic) == {0: before + backlog}, "all are committed")


def test_a_halt_survives_a_restart_of_all_workers(pair: Pair, shared_sandbox: Sandbox, kafka: BlockingKafka) -> None:
    """After both workers restarted, the topic is still halted and handles nothing; a resume handles everything."""
    load, beside = Load(kafka, shared_sandbox, "restarted"), Load(kafka, shared_sandbox, "beside-restarted", RUN_URL)
    shared_sandbox.cluster.faults.set(Fault(effect="status", status=422, method="POST", body="/restarted-0"))
    load.send(1)
    wait_for_halt(pair, load.base_name)
    load.send(20)

    for worker in pair:
        worker.terminate()
    assert [worker.wait() for worker in pair] == [0, 0]
    for worker in pair:
        worker.start()
    for worker in pair:
        worker.wait_until_healthy()
    wait_for_members(shared_sandbox, kafka, 2)
    wait_for_halt(pair, load.base_name)
    beside.send(20)
    beside.wait_for_all()
    assert load.created().total() == 0

    shared_sandbox.cluster.faults.clear()
    operate(pair[0], f"/resume/{load.base_name}")
    load.wait_for_all()


def test_a_worker_that_joins_or_leaves_changes_no_halt(
    pair: Pair, shared_sandbox: Sandbox, kafka: BlockingKafka
) -> None:
    """The new worker halts the topic too, and the partitions move without losing a message."""
    load, beside = Load(kafka, shared_sandbox, "moved"), Load(kafka, shared_sandbox, "beside-moved", RUN_URL)
    newcomer = shared_sandbox.worker(shared_sandbox.env(MODES))
    operate(pair[1], f"/halt/{load.base_name}")
    wait_for_halt(pair, load.base_name)
    load.send(20)

    with running(newcomer):
        wait_for_members(shared_sandbox, kafka, 3)
        wait_for_halt((newcomer, pair[0]), load.base_name)
        beside.send(20)
        beside.wait_for_all()
        assert load.created().total() == 0
        assert newcomer.stop() == 0
    wait_for_members(shared_sandbox, kafka, 2)
    beside.send(20)
    beside.wait_for_all()
    assert load.created().total() == 0

    operate(pair[0], f"/resume/{load.base_name}")
    load.wait_for_all()


def halt_by_bad_message(pair: Pair, shared_sandbox: Sandbox, kafka: BlockingKafka, base_name: str) -> tuple[int, int]:
    """Send an invalid message and three valid ones; return the invalid one's offset, and the offset after the last."""
    topic = shared_sandbox.topic(base_name)
    bad = kafka.send(topic, b"\xff is no UTF-8", key=b"bad", headers=[("trace", b"7")])
    wait_for_halt(pair, base_name)
    good = [kafka.send(topic, message(FORMS[base_name].required())) for _ in range(3)]
    return bad.offset, good[-1].offset + 1


@pytest.mark.parametrize(
    ("base_name", "action"), [("thoth.solver.solved-package", "skip"), ("thoth.cve-update.cve-provided", "dead-letter")]
)
def test_a_resume_skips_or_dead_letters_the_failed_message(
    pair: Pair, shared_sandbox: Sandbox, kafka: BlockingKafka, base_name: str, action: str
) -> None:
    """With either action the commit position advances over the failed message, and later ones are handled."""
    group, topic = shared_sandbox.group(MODES), shared_sandbox.topic(base_name)
    label = base_name.rsplit(".", 1)[-1].replace("-", "_")
    before = total(pair, PROCESSED, message_type=label)
    _, end = halt_by_bad_message(pair, shared_sandbox, kafka, base_name)

    operate(pair[1], f"/resume/{base_name}?action={action}")

    wait_until(lambda: total(pair, PROCESSED, message_type=label) == before + 3, "the later messages are handled")
    wait_until(lambda: kafka.committed(group, topic) == {0: end}, "all four are committed")
    assert total(pair, "thoth_investigator_failures_total", message_type=label) == 1
    if action == "dead-letter":
        (dead_letter,) = kafka.read(f"{topic}-dlt", 1)
        assert (dead_letter.key, dead_letter.value, dead_letter.headers[0]) == (
            b"bad",
            b"\xff is no UTF-8",
            ("trace", b"7"),
        )
