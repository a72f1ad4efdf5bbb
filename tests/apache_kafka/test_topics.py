# SPDX-License-Identifier: GPL-3.0-or-later
"""Topics with gaps, with control records, cut off, grown, or made anew: no message that is there disappears."""

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

# Clients look for changes of topics so often, and a group has to come together again after one.
NOTICED = 60.0


def _handles(sandbox: Sandbox, numbers: Iterable[int], timeout: float = 30.0) -> None:
    """Wait until these were set up, and make sure that nothing else was and nothing twice."""
    wanted = dict.fromkeys(numbers, 1)
    wait_until(lambda: set(wanted) <= set(workflow_counts(sandbox.cluster)), f"{len(wanted)} are set up", timeout)
    assert workflow_counts(sandbox.cluster) == wanted


def _is_up(sandbox: Sandbox, kafka: BlockingKafka, topic: str) -> None:
    """Wait until a worker reads the topic, which it shows by handling a message and committing it."""
    end = kafka.send(topic, repo_init_message(0), partition=0).offset + 1
    wait_until(lambda: kafka.committed(sandbox.group(), topic) == {0: end}, "all is handled and committed")


async def _send_in_transactions(servers: str, topic: str) -> None:
    producer = AIOKafkaProducer(bootstrap_servers=servers, transactional_id=topic)
    await producer.start()
    try:
        for numbers, is_kept in ((range(10), True), (range(100, 110), False), (range(10, 20), True)):
            await producer.begin_transaction()
            for number in numbers:
                await producer.send_and_wait(topic, encode(repo_init_message(number)), partition=0)
            await (producer.commit_transaction() if is_kept else producer.abort_transaction())
    finally:
        await producer.stop()


def test_messages_of_aborted_transactions_are_not_handled_and_all_others_are(
    sandbox: Sandbox, kafka: BlockingKafka, broker: Broker
) -> None:
    """Control records leave gaps in the offsets, which commits pass over."""
    topic = sandbox.topic(REPO_INIT)
    kafka.create_topics(broker, [topic])
    asyncio.run(_send_in_transactions(broker.bootstrap_servers, topic))
    with sandbox.worker():
        _handles(sandbox, range(20))
        # Three transactions of ten messages, each ended by a control record: the last message lies at offset 31.
        wait_until(lambda: kafka.committed(sandbox.group(), topic) == {0: 32}, "everything is committed")


def test_gaps_of_a_compacted_topic_are_passed_over(sandbox: Sandbox, kafka: BlockingKafka, admin: KafkaAdmin) -> None:
    """Also the one right behind offset 0; what was compacted away is gone, all else is handled, and committed."""
    topic = sandbox.topic(REPO_INIT)
    eager = {"segment.ms": "100", "min.cleanable.dirty.ratio": "0.01", "delete.retention.ms": "100"}
    admin.create_topic(topic, config={"cleanup.policy": "compact", **eager})
    kafka.send(topic, repo_init_message(0), key=b"first", partition=0)
    for number in range(1, 60):
        kafka.send(topic, repo_init_message(number), key=f"key-{number % 3}".encode(), partition=0)
    kept = [0, 57, 58, 59]

    def is_compacted() -> bool:
        kafka.send(topic, None, key=b"roll", partition=0)  # a new segment: the active one is never compacted
        return admin.first_offsets(topic, 3) != [0, 1, 2]

    wait_until(is_compacted, "the topic is compacted")
    with sandbox.worker(sandbox.env(THOTH_INVESTIGATOR_ACK_ON_FAIL="1")):
        wait_until(lambda: set(kept) <= set(workflow_counts(sandbox.cluster)), "what is left is handled")
        end = kafka.send(topic, repo_init_message(60), key=b"last", partition=0).offset + 1
        wait_until(lambda: kafka.committed(sandbox.group(), topic) == {0: end}, "everything is committed")
    assert max(workflow_counts(sandbox.cluster).values()) == 1
    assert len(workflow_counts(sandbox.cluster)) < 60


def test_a_topic_that_was_cut_off_is_read_from_its_new_beginning(
    sandbox: Sandbox, kafka: BlockingKafka, admin: KafkaAdmin
) -> None:
    """A group that has committed nothing begins where the topic begins, wherever that is."""
    topic = sandbox.topic(REPO_INIT)
    admin.create_topic(topic)
    kafka.send_all(topic, repo_init_messages(range(30)), partition=0)
    admin.delete_records(topic, before=10)
    with sandbox.worker():
        _handles(sandbox, range(10, 30))
        wait_until(lambda: kafka.committed(sandbox.group(), topic) == {0: 30}, "everything is committed")


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
def test_where_nothing_valid_is_committed_the_setting_decides_and_a_loss_is_reported(  # noqa: PLR0913  given by pytest
    sandbox: Sandbox,
    kafka: BlockingKafka,
    admin: KafkaAdmin,
    *,
    setting: str,
    committed: int | None,
    handled: list[int],
) -> None:
    """Nothing committed, an offset that retention took away, or one behind the end, as of a topic made anew."""
    topic = sandbox.topic(REPO_INIT)
    admin.create_topic(topic)
    kafka.send_all(topic, repo_init_messages(range(30)), partition=0)
    admin.delete_records(topic, before=10)
    if committed is not None:
        admin.commit(sandbox.group(), topic, committed)
    with sandbox.worker(sandbox.env(KAFKA_CONSUMER_AUTO_OFFSET_RESET=setting)) as worker:
        wait_until(lambda: admin.has_members(sandbox.group()), "the worker has joined")
        wait_until(lambda: committed is None or _reports(worker, topic, committed), "the loss is reported")
        kafka.send(topic, repo_init_message(99), partition=0) if setting == "earliest" else _send_late(
            sandbox, kafka, topic
        )
        _handles(sandbox, handled)
        wait_until(lambda: kafka.committed(sandbox.group(), topic).get(0, 0) >= 31, "everything is committed")


def _reports(worker: Worker, topic: str, committed: int) -> bool:
    lines = [line for line in worker.log_text().splitlines() if '"WARNING"' in line and topic in line]
    return any(f"offset {committed} any more" in line and "KAFKA_CONSUMER_AUTO_OFFSET_RESET" in line for line in lines)


def _send_late(sandbox: Sandbox, kafka: BlockingKafka, topic: str) -> None:
    """Send the last message again and again (it leads to one workflow) until the worker reads the topic."""

    def is_read() -> bool:
        kafka.send(topic, {**repo_init_message(99), "job_id": "repo-init-220101000000-00000000deadbeef"}, partition=0)
        return bool(workflow_counts(sandbox.cluster)[99])

    wait_until(is_read, "the worker reads the topic")


def test_new_partitions_are_read_while_workers_run(sandbox: Sandbox, kafka: BlockingKafka, admin: KafkaAdmin) -> None:
    """From their beginning, whatever was sent before anybody noticed them."""
    topic = sandbox.topic(REPO_INIT)
    admin.create_topic(topic)
    with sandbox.worker():
        _is_up(sandbox, kafka, topic)
        admin.set_partition_count(topic, 3)
        for number in (1, 2):
            wait_until(lambda: _sent(admin, topic, number), "the new partition takes messages")  # noqa: B023  called in its own round
        _handles(sandbox, range(3), NOTICED)


def _sent(admin: KafkaAdmin, topic: str, number: int) -> bool:
    return admin.try_to_send(topic, encode(repo_init_message(number)) or b"", partition=number)


@pytest.mark.parametrize("pause", [True, False], ids=["later", "at once"])
def test_a_topic_that_is_deleted_and_made_anew_is_read_from_its_beginning(
    sandbox: Sandbox, kafka: BlockingKafka, admin: KafkaAdmin, *, pause: bool
) -> None:
    """Its offsets begin at 0 again, which is no reason to take its messages for old ones."""
    topic, other = sandbox.topic(REPO_INIT), sandbox.topic("thoth.kebechet-trigger")
    admin.create_topic(topic)
    admin.create_topic(other)
    with sandbox.worker() as worker:
        kafka.send_all(topic, repo_init_messages(range(1, 30)), partition=0)
        _is_up(sandbox, kafka, topic)
        admin.delete_topic(topic)
        if pause:
            wait_until(lambda: not admin.topic_exists(topic), "the topic is gone")
            wait_until(
                lambda: admin.is_assigned(sandbox.group(), other) and not admin.is_assigned(sandbox.group(), topic),
                "the group has noticed",
                NOTICED,
            )
        wait_until(lambda: _created(admin, topic), "the topic is made anew")
        wait_until(lambda: _sent_first(admin, topic), "it takes messages")
        _handles(sandbox, range(31), NOTICED)
        assert worker.process.status is None


def _created(admin: KafkaAdmin, topic: str) -> bool:
    admin.create_topic(topic)
    return bool(admin.topic_exists(topic))


def _sent_first(admin: KafkaAdmin, topic: str) -> bool:
    return admin.try_to_send(topic, encode(repo_init_message(30)) or b"", partition=0)
