# SPDX-License-Identifier: GPL-3.0-or-later
"""Replays of dead letters: only the group that dead-lettered a message handles it again, and no step is repeated."""

from collections import Counter
from collections.abc import Iterator

import pytest

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
    fields = {
        "index_url": shared_sandbox.index.index_url(),
        "package_name": "replayed-package",
        "package_version": "1.0.0",
    }
    hashes: dict[str, list[str]] = {"missing_from_source": [], "missing_from_database": []}
    kafka.send(shared_sandbox.topic(MISMATCH), message(fields, **hashes))
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
    wait_until(lambda: metric(backend, PROCESSED, message_type="hash_mismatch") == 2, "the backend skips the replay")
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
