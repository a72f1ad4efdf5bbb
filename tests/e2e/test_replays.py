# SPDX-License-Identifier: GPL-3.0-or-later
"""Dead letters come back: to the group that gave them up, and without doing anything twice."""

from collections import Counter
from collections.abc import Iterator

import pytest

from sandbox.environment import Sandbox
from sandbox.faults import Fault
from sandbox.worker import Worker
from tests.e2e.conftest import running
from tests.integration.cli.program import faust
from tests.support.e2e import Kafka, message, metric, wait_until

MISMATCH = "thoth.package-update.hash-mismatch"
DEAD = "thoth_investigator_dead_letters_total"
PROCESSED = "thoth_investigator_processed_total"


@pytest.fixture(scope="module")
def groups(place: Sandbox) -> Iterator[tuple[Worker, Worker]]:
    """A worker of each mode, as they are deployed: each a group of its own, both keep what they give up."""
    environments = [place.env([mode], THOTH_INVESTIGATOR_ACK_ON_FAIL="1") for mode in ("middletier", "backend")]
    workers = [place.worker(environment) for environment in environments]
    with running(*workers):
        yield workers[0], workers[1]


def replay(place: Sandbox, *arguments: str) -> str:
    """Send the middletier's dead letters of a topic again, by the command; gives what it said."""
    ended = faust(place.env(["middletier"]), "dead-letters", "replay", MISMATCH, *arguments)
    assert ended.returncode == 0, ended.stderr
    return ended.stdout


def created(place: Sandbox, package: str) -> Counter[str]:
    """Count the workflows about a package by their names."""
    about = [each for each in place.cluster.created if package in "".join(each.parameters.values())]
    return Counter(each.name for each in about)


def test_a_replay_does_what_was_left_undone_and_nothing_else(
    place: Sandbox, kafka: Kafka, groups: tuple[Worker, Worker]
) -> None:
    """The backend has told Kebechet and its workflow is gone; only the middletier's solvers are still to be run.

    The replay keeps the identity of the message, so another one finds these there already.
    """
    middletier, backend = groups
    place.cluster.faults.set(Fault(effect="status", status=403, method="POST", namespace="thoth-middletier"))
    fields = {"index_url": place.index.index_url(), "package_name": "replayed-package", "package_version": "1.0.0"}
    hashes: dict[str, list[str]] = {"missing_from_source": [], "missing_from_database": []}
    kafka.send(place.topic(MISMATCH), message(fields, **hashes))
    wait_until(lambda: metric(middletier, DEAD, message_type="hash_mismatch") == 1, "the middletier gives it up")
    wait_until(lambda: metric(backend, PROCESSED, message_type="hash_mismatch") == 1, "the backend handles it")
    [told] = created(place, "replayed-package")
    place.cluster.store.delete(place.cluster.store.get("thoth-backend", told))
    place.cluster.faults.clear()

    assert "sent 1 of 1" in replay(place, "--all")
    wait_until(lambda: metric(middletier, PROCESSED, message_type="hash_mismatch") == 1, "the middletier handles it")
    wait_until(lambda: metric(backend, PROCESSED, message_type="hash_mismatch") == 2, "the backend passes it over")
    first = created(place, "replayed-package")
    assert len(first) == 1 + len(place.cluster.solvers)
    assert set(first.values()) == {1}

    assert "1 sent again before" in replay(place, "--all")
    assert "sent 1 of 1" in replay(place, "--all", "--again")
    wait_until(lambda: metric(middletier, PROCESSED, message_type="hash_mismatch") == 2, "it is handled once more")
    assert created(place, "replayed-package") == first
