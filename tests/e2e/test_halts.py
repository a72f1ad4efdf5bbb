# SPDX-License-Identifier: GPL-3.0-or-later
"""A halted topic: the whole group stands by it, others flow, and nothing of what is behind is lost or done twice."""

from collections.abc import Iterator

import pytest

from sandbox.broker import Broker
from sandbox.environment import Sandbox
from sandbox.faults import Fault
from sandbox.worker import Worker
from tests.e2e.forms import forms
from tests.support.blocking_kafka import BlockingKafka, message
from tests.support.load import RUN_URL, Load
from tests.support.polling import wait_until
from tests.support.worker_http import get_json, metric
from tests.support.workers import running

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
    """Wait until so many workers share the topics."""
    wait_until(lambda: kafka.members(shared_sandbox.group(MODES)) == number, f"{number} workers share the topics")


def total(workers: Pair, name: str, **labels: str) -> float:
    """Add a metric up over the workers."""
    return sum(metric(worker, name, **labels) for worker in workers)


def wait_for_halt(workers: Pair, base_name: str, *, halted: bool = True) -> None:
    """Wait until both workers show a topic as halted, or as not halted."""
    for worker in workers:
        wait_until(
            lambda: metric(worker, HALTED, base_topic_name=base_name) == halted,  # noqa: B023 - called at once
            f"{worker.url} shows {base_name} as {'halted' if halted else 'running'}",
        )


def operate(worker: Worker, path: str) -> None:
    """Halt or resume; raises AssertionError where that is not answered well."""
    status, content = get_json(worker, path)
    assert (status, content["message"][:12]) == (200, "Successfully")


def test_two_workers_share_topics_of_one_partition(pair: Pair, shared_sandbox: Sandbox, kafka: BlockingKafka) -> None:
    """Half of the topics each: with one partition a topic, as existing deployments have them, both have work."""
    for base_name, form in FORMS.items():
        kafka.send(shared_sandbox.topic(base_name), message(form.required()))
    wait_until(lambda: total(pair, PROCESSED) == len(FORMS), "one message of each type is handled")

    assert sorted(metric(worker, PROCESSED) for worker in pair) == [len(FORMS) // 2, len(FORMS) - len(FORMS) // 2]


def test_a_halted_topic_keeps_its_backlog_while_another_one_flows(
    pair: Pair, shared_sandbox: Sandbox, kafka: BlockingKafka
) -> None:
    """Halted on one worker, resumed on the other: thousands behind the halt are handled once, and none before."""
    behind = 5000
    before = total(pair, PROCESSED, message_type="advise_justification")
    fields = {**FORMS[JUSTIFICATION].required(), "justification_type": "BEHIND", "count": 1}
    operate(pair[0], f"/halt/{JUSTIFICATION}")
    wait_for_halt(pair, JUSTIFICATION)

    kafka.send_all(shared_sandbox.topic(JUSTIFICATION), [message(fields)] * behind)
    beside = Load(kafka, shared_sandbox, "beside", RUN_URL)
    beside.send(300)
    beside.wait_for_all()
    assert total(pair, PROCESSED, message_type="advise_justification") == before

    operate(pair[1], f"/resume/{JUSTIFICATION}")
    wait_until(
        lambda: total(pair, PROCESSED, message_type="advise_justification") == before + behind, "all are handled", 60
    )
    counted = "thoth_advise_justification_type_number"
    assert total(pair, counted, justification_type="BEHIND") == behind
    group, topic = shared_sandbox.group(MODES), shared_sandbox.topic(JUSTIFICATION)
    wait_until(lambda: kafka.committed(group, topic) == {0: before + behind}, "all are committed")


def test_a_halt_outlives_all_workers(pair: Pair, shared_sandbox: Sandbox, kafka: BlockingKafka) -> None:
    """After a restart of both at once the topic is still halted, nothing of it is handled; a resume brings it all."""
    load, beside = Load(kafka, shared_sandbox, "outlived"), Load(kafka, shared_sandbox, "beside-outlived", RUN_URL)
    shared_sandbox.cluster.faults.set(Fault(effect="status", status=422, method="POST", body="/outlived-0"))
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
    """Partitions move, the halt stays: the newcomer holds the topic too, and nothing is lost on the way."""
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
    """Send a bad message and three good ones; gives the bad one's offset and the one that follows them."""
    topic = shared_sandbox.topic(base_name)
    bad = kafka.send(topic, b"\xff is no UTF-8", key=b"bad", headers=[("trace", b"7")])
    wait_for_halt(pair, base_name)
    good = [kafka.send(topic, message(FORMS[base_name].required())) for _ in range(3)]
    return bad.offset, good[-1].offset + 1


@pytest.mark.parametrize(
    ("base_name", "verb"), [("thoth.solver.solved-package", "skip"), ("thoth.cve-update.cve-provided", "dead-letter")]
)
def test_an_operator_decides_what_becomes_of_the_message(
    pair: Pair, shared_sandbox: Sandbox, kafka: BlockingKafka, base_name: str, verb: str
) -> None:
    """Skipped or kept as a dead letter: either way it is passed, and those behind it are handled."""
    group, topic = shared_sandbox.group(MODES), shared_sandbox.topic(base_name)
    label = base_name.rsplit(".", 1)[-1].replace("-", "_")
    before = total(pair, PROCESSED, message_type=label)
    _, end = halt_by_bad_message(pair, shared_sandbox, kafka, base_name)

    operate(pair[1], f"/resume/{base_name}?action={verb}")

    wait_until(lambda: total(pair, PROCESSED, message_type=label) == before + 3, "those behind it are handled")
    wait_until(lambda: kafka.committed(group, topic) == {0: end}, "all four are committed")
    assert total(pair, "thoth_investigator_failures_total", message_type=label) == 1
    if verb == "dead-letter":
        (kept,) = kafka.read(f"{topic}-dlt", 1)
        assert (kept.key, kept.value, kept.headers[0]) == (b"bad", b"\xff is no UTF-8", ("trace", b"7"))
