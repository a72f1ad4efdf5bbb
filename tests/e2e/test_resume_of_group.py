# SPDX-License-Identifier: GPL-3.0-or-later
"""One resume reaches the failed messages of all partitions, whichever workers own them."""

import json
from collections.abc import Iterator

import pytest

from sandbox.broker import Broker
from sandbox.environment import Sandbox
from sandbox.faults import Fault
from sandbox.worker import Worker
from tests.support.blocking_kafka import BlockingKafka, message
from tests.support.faust_command import faust
from tests.support.polling import wait_until
from tests.support.running_workers import running
from tests.support.worker_http import get_json, metric

MODES = ("backend",)
BASE_NAME = "thoth.repo-init"
PARTITIONS = 4
BAD = "https://github.com/thoth-station/bad"

Pair = tuple[Worker, Worker]
Positions = set[tuple[int, int]]


@pytest.fixture(scope="module")
def pair(shared_sandbox: Sandbox, broker: Broker, kafka: BlockingKafka) -> Iterator[Pair]:
    """Two workers of one group, each with two partitions of the topic; the cluster refuses bad messages after a while.

    So all of them are being processed before the first one halts the topic.
    """
    kafka.create_topics(broker, [shared_sandbox.topic(BASE_NAME)], PARTITIONS)
    workers = shared_sandbox.worker(shared_sandbox.env(MODES)), shared_sandbox.worker(shared_sandbox.env(MODES))
    with running(*workers):
        wait_until(lambda: kafka.members(shared_sandbox.group(MODES)) == 2, "the group has two members")
        shared_sandbox.cluster.faults.set(
            Fault(effect="latency", seconds=2, method="POST", body=BAD),
            Fault(effect="status", status=422, method="POST", body=BAD),
        )
        yield workers


def failed_messages(worker: Worker) -> Positions:
    """Return the failed messages that a worker lists."""
    _, status = get_json(worker, "/status")
    listed = status["halted_topics"] + status["resumed_topics"]
    return {(failed["partition"], failed["offset"]) for each in listed for failed in each["failed_messages"]}


def fail_on_every_partition(pair: Pair, shared_sandbox: Sandbox, kafka: BlockingKafka) -> Positions:
    """Send a bad message to every partition, and wait until both workers list them all."""
    topic, before = shared_sandbox.topic(BASE_NAME), [failures(worker) for worker in pair]
    sent = {(number, kafka.send(topic, bad_message(), partition=number).offset) for number in range(PARTITIONS)}
    for worker in pair:
        wait_until(lambda: failed_messages(worker) == sent, "all four are listed")  # noqa: B023  called in this iteration
    assert [failures(worker) - number for worker, number in zip(pair, before, strict=True)] == [2, 2]
    return sent


def bad_message() -> dict[str, object]:
    """Return a message for which the cluster refuses to create a workflow."""
    return message(project_url=BAD)


def failures(worker: Worker) -> float:
    """Return how many messages failed on a worker."""
    return metric(worker, "thoth_investigator_failures_total", message_type="repo_init")


def wait_until_all_is_committed(shared_sandbox: Sandbox, kafka: BlockingKafka, offsets: Positions) -> None:
    """Wait until the group has committed past these messages."""
    topic, group = shared_sandbox.topic(BASE_NAME), shared_sandbox.group(MODES)
    expected = {partition: offset + 1 for partition, offset in offsets}
    wait_until(lambda: kafka.committed(group, topic) == expected, "all are committed")


@pytest.mark.parametrize(("action", "result"), [("skip", "skipped"), ("dead-letter", "dead-lettered")])
def test_one_resume_settles_the_failed_messages_of_both_workers(
    pair: Pair, shared_sandbox: Sandbox, kafka: BlockingKafka, action: str, result: str
) -> None:
    """The answer has the result of each; all are committed, and no worker lists them any more."""
    topic = shared_sandbox.topic(BASE_NAME)
    bad = fail_on_every_partition(pair, shared_sandbox, kafka)

    status, answer = get_json(pair[0], f"/resume/{BASE_NAME}?action={action}")

    assert (status, answer["message"]) == (200, f"Successfully resumed consumption of {topic}.")
    assert answer["messages"] == [
        {"partition": partition, "offset": offset, "result": result, "error": None} for partition, offset in sorted(bad)
    ]
    wait_until_all_is_committed(shared_sandbox, kafka, bad)
    for worker in pair:
        wait_until(lambda: not failed_messages(worker), "nothing is listed any more")  # noqa: B023  called in this iteration
    if action == "dead-letter":
        letters = kafka.read(f"{topic}-dlt", PARTITIONS)
        assert sorted(letter.partition for letter in letters) == list(range(PARTITIONS))


def test_one_retry_reaches_the_failed_messages_of_both_workers(
    pair: Pair, shared_sandbox: Sandbox, kafka: BlockingKafka
) -> None:
    """All fail again, are listed all the time, and the answer has their errors. Then the command skips them."""
    bad = fail_on_every_partition(pair, shared_sandbox, kafka)
    before = sum(map(failures, pair))

    _, answer = get_json(pair[1], f"/resume/{BASE_NAME}?action=retry")

    assert {each["result"] for each in answer["messages"]} == {"halted again"}
    assert all("422" in each["error"] or "invalid" in each["error"] for each in answer["messages"])
    assert sum(map(failures, pair)) == before + PARTITIONS
    assert failed_messages(pair[0]) == failed_messages(pair[1]) == bad

    environment = shared_sandbox.env(MODES)
    listed = [json.loads(line) for line in faust(environment, "halts", "--json").stdout.splitlines()]
    assert {(each["partition"], each["offset"]) for line in listed for each in line["failed_messages"]} == bad
    printed = faust(environment, "resume", BASE_NAME, "--action", "skip").stdout
    for partition, offset in bad:
        assert f"The message at [{partition}]@{offset} was skipped" in printed
    assert "No topic is halted" in faust(environment, "halts").stdout
    wait_until_all_is_committed(shared_sandbox, kafka, bad)


def test_messages_that_were_repaired_are_handled_by_one_retry(
    pair: Pair, shared_sandbox: Sandbox, kafka: BlockingKafka
) -> None:
    """The cause is gone: the answer says that each was handled."""
    bad = fail_on_every_partition(pair, shared_sandbox, kafka)
    shared_sandbox.cluster.faults.clear()

    _, answer = get_json(pair[0], f"/resume/{BASE_NAME}")

    assert [(each["result"], each["error"]) for each in answer["messages"]] == [("handled", None)] * PARTITIONS
    wait_until_all_is_committed(shared_sandbox, kafka, bad)
