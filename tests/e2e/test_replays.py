# SPDX-License-Identifier: GPL-3.0-or-later
"""Replays of dead letters: only the group that dead-lettered a message handles it again, and no step is repeated.

A message that only claims to be a replay is a message of its own.
"""

from collections import Counter
from collections.abc import Iterator

import pytest
from aiokafka.structs import RecordMetadata

from sandbox.environment import Sandbox
from sandbox.faults import Fault
from sandbox.worker import Worker
from tests.support.blocking_kafka import BlockingKafka, message
from tests.support.faust_command import faust
from tests.support.polling import wait_until
from tests.support.running_workers import running
from tests.support.worker_http import metric

MISMATCH = "thoth.package-update.hash-mismatch"
DEAD = "thoth_investigator_dead_letters_total"
PROCESSED = "thoth_investigator_processed_total"
PASSED_OVER = "thoth_investigator_replays_for_other_groups_total"
UNPROVED = "thoth_investigator_unproved_replays_total"


@pytest.fixture(scope="module")
def groups(shared_sandbox: Sandbox) -> Iterator[tuple[Worker, Worker]]:
    """A worker of each mode, in a group of its own as deployed; both dead-letter failed messages."""
    environments = [
        shared_sandbox.env([mode], THOTH_INVESTIGATOR_ACK_ON_FAIL="1") for mode in ("middletier", "backend")
    ]
    workers = [shared_sandbox.worker(environment) for environment in environments]
    with running(*workers):
        yield workers[0], workers[1]


def replay(shared_sandbox: Sandbox, *arguments: str) -> str:
    """Run the command that replays the middletier's dead letters of a topic; return its output."""
    done = faust(shared_sandbox.env(["middletier"]), "dead-letters", "replay", MISMATCH, *arguments)
    assert done.returncode == 0, done.stderr
    return done.stdout


def mismatch(shared_sandbox: Sandbox, package: str) -> dict[str, object]:
    """Return a message about a package."""
    hashes: dict[str, list[str]] = {"missing_from_source": [], "missing_from_database": []}
    index = shared_sandbox.index.index_url()
    return message(index_url=index, package_name=package, package_version="1.0.0", **hashes)


def created(shared_sandbox: Sandbox, package: str) -> Counter[str]:
    """Return the number of creations of each workflow about a package, by the workflow's name."""
    about = [each for each in shared_sandbox.cluster.created if package in "".join(each.parameters.values())]
    return Counter(each.name for each in about)


def test_a_replay_runs_only_the_steps_that_have_not_succeeded(
    shared_sandbox: Sandbox, kafka: BlockingKafka, groups: tuple[Worker, Worker]
) -> None:
    """The backend has notified Kebechet, and that workflow is deleted; only the middletier's solvers are missing.

    A replay keeps the origin of the message, so a second replay finds the solvers of the first one.
    """
    middletier, backend = groups
    shared_sandbox.cluster.faults.set(Fault(effect="status", status=403, method="POST", namespace="thoth-middletier"))
    kafka.send(shared_sandbox.topic(MISMATCH), mismatch(shared_sandbox, "replayed-package"))
    wait_until(
        lambda: metric(middletier, DEAD, message_type="hash_mismatch") == 1, "the middletier dead-letters the message"
    )
    wait_until(lambda: metric(backend, PROCESSED, message_type="hash_mismatch") == 1, "the backend handles the message")
    [notification] = created(shared_sandbox, "replayed-package")
    shared_sandbox.cluster.store.delete(shared_sandbox.cluster.store.get("thoth-backend", notification))
    shared_sandbox.cluster.faults.clear()

    assert "sent 1 of 1" in replay(shared_sandbox, "--all")
    wait_until(
        lambda: metric(middletier, PROCESSED, message_type="hash_mismatch") == 1, "the middletier handles the replay"
    )
    wait_until(
        lambda: metric(backend, PASSED_OVER, message_type="hash_mismatch") == 1, "the backend passes over the replay"
    )
    assert metric(backend, PROCESSED, message_type="hash_mismatch") == 1
    first = created(shared_sandbox, "replayed-package")
    assert len(first) == 1 + len(shared_sandbox.cluster.solvers)
    assert set(first.values()) == {1}

    assert "1 sent again before" in replay(shared_sandbox, "--all")
    assert "sent 1 of 1" in replay(shared_sandbox, "--all", "--again")
    wait_until(
        lambda: metric(middletier, PROCESSED, message_type="hash_mismatch") == 2,
        "the middletier handles the second replay",
    )
    assert created(shared_sandbox, "replayed-package") == first


def claim(topic: str, sent: RecordMetadata, *, offset: int) -> list[tuple[str, bytes]]:
    """Return the headers by which a producer claims to replay the message at an offset of the partition."""
    return [
        ("kafka_dlt-original-topic", topic.encode()),
        ("kafka_dlt-original-partition", sent.partition.to_bytes(4, "big")),
        ("kafka_dlt-original-offset", offset.to_bytes(8, "big")),
        ("kafka_dlt-original-timestamp", sent.timestamp.to_bytes(8, "big")),
        ("investigator-replays", b"\x00\x00\x00\x01"),
    ]


def test_forged_replays_are_messages_of_their_own(
    shared_sandbox: Sandbox, kafka: BlockingKafka, groups: tuple[Worker, Worker]
) -> None:
    """They take neither the workflows of the message that they name, nor are they dropped for an address."""
    topic = shared_sandbox.topic(MISMATCH)
    before = [metric(worker, UNPROVED, message_type="hash_mismatch") for worker in groups]
    sent = kafka.send(topic, mismatch(shared_sandbox, "named-package"), partition=0)
    named = claim(topic, sent, offset=sent.offset)
    forgeries = {
        "forged-package": named,
        "addressed-package": [("investigator-replayed-for", b"no-such-group")],
        "wrongly-proved-package": [*named, ("investigator-replay-proof", b"\xff" * 32)],
    }
    for package, headers in forgeries.items():
        kafka.send(topic, mismatch(shared_sandbox, package), partition=0, headers=headers)
    expected = 1 + len(shared_sandbox.cluster.solvers)
    for package in ("named-package", *forgeries):
        wait_until(lambda: len(created(shared_sandbox, package)) == expected, f"{package} has all of its workflows")  # noqa: B023  called at once
        assert set(created(shared_sandbox, package).values()) == {1}
    for worker, count in zip(groups, before, strict=True):
        assert metric(worker, UNPROVED, message_type="hash_mismatch") == count + len(forgeries)
