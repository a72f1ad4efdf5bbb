# SPDX-License-Identifier: GPL-3.0-or-later
"""Topics with offset gaps, control records, deleted records or new partitions, and recreated topics."""

import asyncio
from collections.abc import Iterable

import pytest
from aiokafka import AIOKafkaProducer

from sandbox.broker import Broker
from sandbox.environment import Sandbox
from sandbox.kafka_client import encode
from sandbox.worker import Worker
from tests.apache_kafka.repo_init_messages import REPO_INIT, repo_init_message, repo_init_messages, workflow_counts
from tests.support.blocking_kafka import BlockingKafka
from tests.support.kafka_admin import KafkaAdmin
from tests.support.polling import wait_until

# Clients refresh their metadata periodically, and each change of a topic leads to a rebalance.
METADATA_SECONDS = 60.0


def _wait_for_workflows(sandbox: Sandbox, numbers: Iterable[int], timeout: float = 30.0) -> None:
    """Wait until each number has a workflow; raise AssertionError if one has two, or another number has one."""
    wanted = dict.fromkeys(numbers, 1)
    wait_until(
        lambda: set(wanted) <= set(workflow_counts(sandbox.cluster)), f"{len(wanted)} messages are handled", timeout
    )
    assert workflow_counts(sandbox.cluster) == wanted


def _wait_until_consumed(sandbox: Sandbox, kafka: BlockingKafka, topic: str) -> None:
    """Send a message and wait until its offset is committed, which shows that a worker consumes the topic."""
    end = kafka.send(topic, repo_init_message(0), partition=0).offset + 1
    wait_until(lambda: kafka.committed(sandbox.group(), topic) == {0: end}, "the message is handled and committed")


async def _send_in_transactions(servers: str, topic: str) -> None:
    producer = AIOKafkaProducer(bootstrap_servers=servers, transactional_id=topic)
    await producer.start()
    try:
        for numbers, commits in ((range(10), True), (range(100, 110), False), (range(10, 20), True)):
            await producer.begin_transaction()
            for number in numbers:
                await producer.send_and_wait(topic, encode(repo_init_message(number)), partition=0)
            await (producer.commit_transaction() if commits else producer.abort_transaction())
    finally:
        await producer.stop()


def test_messages_of_aborted_transactions_are_not_handled_and_all_others_are(
    sandbox: Sandbox, kafka: BlockingKafka, broker: Broker
) -> None:
    """Control records take offsets of their own; the committed offset advances over them."""
    topic = sandbox.topic(REPO_INIT)
    kafka.create_topics(broker, [topic])
    asyncio.run(_send_in_transactions(broker.bootstrap_servers, topic))
    with sandbox.worker():
        _wait_for_workflows(sandbox, range(20))
        # Three transactions of ten messages, each followed by a control record: the last message has offset 31.
        wait_until(lambda: kafka.committed(sandbox.group(), topic) == {0: 32}, "all messages are committed")


def test_the_committed_offset_advances_over_the_gaps_of_a_compacted_topic(
    sandbox: Sandbox, kafka: BlockingKafka, admin: KafkaAdmin
) -> None:
    """Also over a gap right after offset 0; all messages that compaction left are handled and committed."""
    topic = sandbox.topic(REPO_INIT)
    compaction = {"segment.ms": "100", "min.cleanable.dirty.ratio": "0.01", "delete.retention.ms": "100"}
    admin.create_topic(topic, config={"cleanup.policy": "compact", **compaction})
    kafka.send(topic, repo_init_message(0), key=b"first", partition=0)
    for number in range(1, 60):
        kafka.send(topic, repo_init_message(number), key=f"key-{number % 3}".encode(), partition=0)
    remaining = [0, 57, 58, 59]

    def is_compacted() -> bool:
        kafka.send(topic, None, key=b"roll", partition=0)  # starts a new segment: Kafka never compacts the active one
        return admin.first_offsets(topic, 3) != [0, 1, 2]

    wait_until(is_compacted, "the topic is compacted")
    with sandbox.worker(sandbox.env(THOTH_INVESTIGATOR_ACK_ON_FAIL="1")):
        wait_until(
            lambda: set(remaining) <= set(workflow_counts(sandbox.cluster)), "the remaining messages are handled"
        )
        end = kafka.send(topic, repo_init_message(60), key=b"last", partition=0).offset + 1
        wait_until(lambda: kafka.committed(sandbox.group(), topic) == {0: end}, "all messages are committed")
    assert max(workflow_counts(sandbox.cluster).values()) == 1
    assert len(workflow_counts(sandbox.cluster)) < 60


def test_a_group_without_commits_starts_at_the_first_offset_that_retention_left(
    sandbox: Sandbox, kafka: BlockingKafka, admin: KafkaAdmin
) -> None:
    """The first offset of a topic is not always 0."""
    topic = sandbox.topic(REPO_INIT)
    admin.create_topic(topic)
    kafka.send_all(topic, repo_init_messages(range(30)), partition=0)
    admin.delete_records(topic, before=10)
    with sandbox.worker():
        _wait_for_workflows(sandbox, range(10, 30))
        wait_until(lambda: kafka.committed(sandbox.group(), topic) == {0: 30}, "all messages are committed")


@pytest.mark.parametrize(
    ("setting", "committed", "handled"),
    [
        ("earliest", None, [*range(10, 30), 99]),
        ("latest", None, [99]),
        ("earliest", 5, [*range(10, 30), 99]),
        ("latest", 5, [99]),
        ("earliest", 500, [*range(10, 30), 99]),
        ("latest", 500, [99]),
    ],
)
def test_without_a_valid_commit_the_offset_reset_applies_and_lost_messages_are_logged(  # noqa: PLR0913  parameters and fixtures
    sandbox: Sandbox,
    kafka: BlockingKafka,
    admin: KafkaAdmin,
    *,
    setting: str,
    committed: int | None,
    handled: list[int],
) -> None:
    """The group has no commit, one that retention has deleted, or one after the end, as after a recreated topic."""
    topic = sandbox.topic(REPO_INIT)
    admin.create_topic(topic)
    kafka.send_all(topic, repo_init_messages(range(30)), partition=0)
    admin.delete_records(topic, before=10)
    if committed is not None:
        admin.commit(sandbox.group(), topic, committed)
    with sandbox.worker(sandbox.env(KAFKA_CONSUMER_AUTO_OFFSET_RESET=setting)) as worker:
        wait_until(lambda: admin.has_members(sandbox.group()), "the worker is in the group")
        wait_until(lambda: committed is None or _logs_loss(worker, topic, committed), "the worker logs the loss")
        kafka.send(topic, repo_init_message(99), partition=0) if setting == "earliest" else _send_until_consumed(
            sandbox, kafka, topic
        )
        _wait_for_workflows(sandbox, handled)
        wait_until(lambda: kafka.committed(sandbox.group(), topic).get(0, 0) >= 31, "all messages are committed")


def _logs_loss(worker: Worker, topic: str, committed: int) -> bool:
    lines = [line for line in worker.log_text().splitlines() if '"WARNING"' in line and topic in line]
    return any(f"offset={committed} " in line and "KAFKA_CONSUMER_AUTO_OFFSET_RESET" in line for line in lines)


def _send_until_consumed(sandbox: Sandbox, kafka: BlockingKafka, topic: str) -> None:
    """Send the last message until the worker handles it; its job id makes all copies lead to one workflow."""

    def is_consumed() -> bool:
        kafka.send(topic, {**repo_init_message(99), "job_id": "repo-init-220101000000-00000000deadbeef"}, partition=0)
        return bool(workflow_counts(sandbox.cluster)[99])

    wait_until(is_consumed, "the worker consumes the topic")


def test_new_partitions_are_consumed_from_their_first_message_while_workers_run(
    sandbox: Sandbox, kafka: BlockingKafka, admin: KafkaAdmin
) -> None:
    """This includes messages that were sent before a worker discovered the partition."""
    topic = sandbox.topic(REPO_INIT)
    admin.create_topic(topic)
    with sandbox.worker():
        _wait_until_consumed(sandbox, kafka, topic)
        admin.set_partition_count(topic, 3)
        for number in (1, 2):
            wait_until(lambda: _try_to_send(admin, topic, number), "the new partition accepts a message")  # noqa: B023  called in this iteration
        _wait_for_workflows(sandbox, range(3), METADATA_SECONDS)


def _try_to_send(admin: KafkaAdmin, topic: str, number: int) -> bool:
    return admin.try_to_send(topic, encode(repo_init_message(number)) or b"", partition=number)


@pytest.mark.parametrize("pause", [True, False], ids=["later", "at once"])
def test_a_recreated_topic_is_consumed_from_its_beginning(
    sandbox: Sandbox, kafka: BlockingKafka, admin: KafkaAdmin, *, pause: bool
) -> None:
    """Its offsets start at 0 again; the worker does not take its messages for those of the deleted topic."""
    topic, other = sandbox.topic(REPO_INIT), sandbox.topic("thoth.kebechet-trigger")
    admin.create_topic(topic)
    admin.create_topic(other)
    with sandbox.worker() as worker:
        kafka.send_all(topic, repo_init_messages(range(1, 30)), partition=0)
        _wait_until_consumed(sandbox, kafka, topic)
        admin.delete_topic(topic)
        if pause:
            wait_until(lambda: not admin.topic_exists(topic), "the topic is deleted")
            wait_until(
                lambda: admin.is_assigned(sandbox.group(), other) and not admin.is_assigned(sandbox.group(), topic),
                "the group has revoked the topic",
                METADATA_SECONDS,
            )
        wait_until(lambda: _try_to_create(admin, topic), "the topic is recreated")
        wait_until(lambda: _try_to_send_first(admin, topic), "the topic accepts a message")
        _wait_for_workflows(sandbox, range(31), METADATA_SECONDS)
        assert worker.process.status is None


def _try_to_create(admin: KafkaAdmin, topic: str) -> bool:
    admin.create_topic(topic)
    return bool(admin.topic_exists(topic))


def _try_to_send_first(admin: KafkaAdmin, topic: str) -> bool:
    return admin.try_to_send(topic, encode(repo_init_message(30)) or b"", partition=0)
