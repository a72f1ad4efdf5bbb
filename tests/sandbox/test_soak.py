# SPDX-License-Identifier: GPL-3.0-or-later
"""The checks of the soak test find lost, repeated, reordered and wrongly dead-lettered messages."""

import random
import subprocess
import sys

import pytest

from sandbox.broker import Broker
from sandbox.fault_matrix.rows import ROWS
from sandbox.fault_matrix.streams import STREAMS
from sandbox.fault_matrix.surroundings import surroundings
from sandbox.kafka_client import KafkaClient
from sandbox.postgres import PostgresServer
from sandbox.soak.chaos import FAULTS
from sandbox.soak.checks import check_messages
from sandbox.soak.load import BASE_NAMES, Load, Sent

REPO_INIT = next(stream for stream in STREAMS if stream.name == "repo-init")
SOLVE = next(stream for stream in STREAMS if stream.name == "unresolved")
INVALID = (1, 7)
PERFECT = {0: [1.0], 1: [2.0], 2: [0.5, 0.5], 3: [3.0]}


@pytest.fixture
def sent() -> Sent:
    """Four valid messages, of which 0, 1 and 3 have the same key and 2 needs two workflows, and an invalid one."""
    valid = {0: REPO_INIT, 1: REPO_INIT, 2: SOLVE, 3: REPO_INIT}
    return Sent(valid, {(REPO_INIT.base_name, b"key"): [0, 1, 3]}, {REPO_INIT.base_name: {INVALID}})


def test_all_effects_of_valid_messages_and_a_dead_letter_per_invalid_one_pass(sent: Sent) -> None:
    """Messages with different keys may overtake each other."""
    assert check_messages(sent, PERFECT, [], {REPO_INIT.base_name: [INVALID, INVALID]}).passed


@pytest.mark.parametrize("times", [{3: []}, {2: []}, {2: [0.5]}])
def test_messages_without_all_of_their_effects_are_lost(sent: Sent, times: dict[int, list[float]]) -> None:
    """One of two workflows is not enough."""
    verdict = check_messages(sent, PERFECT | times, [], {REPO_INIT.base_name: [INVALID]})
    assert verdict.lost == list(times)
    assert not verdict.passed


def test_repeated_and_reordered_messages_are_found(sent: Sent) -> None:
    """The verdict has the numbers of the messages."""
    verdict = check_messages(sent, PERFECT | {0: [9.0]}, [1, 1], {REPO_INIT.base_name: [INVALID]})
    assert (verdict.lost, verdict.duplicated, verdict.out_of_order) == ([], [1], [(0, 1)])
    assert not verdict.passed


@pytest.mark.parametrize("dead_letters", [[], [INVALID, (0, 3)]])
def test_missing_and_unexpected_dead_letters_are_found(sent: Sent, dead_letters: list[tuple[int, int]]) -> None:
    """Exactly the invalid message must have a dead letter."""
    verdict = check_messages(sent, PERFECT, [], {REPO_INIT.base_name: dead_letters})
    assert (verdict.not_dead_lettered, verdict.wrongly_dead_lettered) in (
        ([(REPO_INIT.base_name, INVALID)], []),
        ([], [(REPO_INIT.base_name, (0, 3))]),
    )
    assert not verdict.passed


def test_faults_that_answer_about_messages_are_no_part_of_the_soak_test() -> None:
    """After every other fault of the matrix each message must still have its effects."""
    assert {row.name for row in ROWS} - {row.name for row in FAULTS} == {
        "index-404",
        "kind-422",
        "kind-500-beyond-patience",
    }


@pytest.mark.parametrize(
    "option", [("--duration", "x"), ("--duration", "0"), ("--duration", "nan"), ("--duration", "inf"), ("--seed", "x")]
)
def test_invalid_options_are_refused_before_any_server_starts(option: tuple[str, str]) -> None:
    """The error names the option and its value; status 2 is neither that of a pass nor that of a failure."""
    done = subprocess.run([sys.executable, "-m", "sandbox.soak", *option], check=False, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (2, "")
    assert option[0] in done.stderr
    assert repr(option[1]) in done.stderr


async def test_a_seed_repeats_the_messages(broker: Broker, postgres: PostgresServer, deployment: str) -> None:
    """A failed run can be repeated."""
    loads = []
    with surroundings(broker, postgres, deployment) as parts:
        await broker.create_topics([parts.sandbox.topic(base_name) for base_name in BASE_NAMES], partitions=3)
        async with KafkaClient(broker.bootstrap_servers) as kafka:
            for _ in range(2):
                load = Load(random.Random(7), kafka, parts)  # noqa: S311 - a repeatable sequence
                for _ in range(5):
                    await load.send_some()
                loads.append(load.sent)
    assert loads[0].valid == loads[1].valid
    assert loads[0].keyed == loads[1].keyed
    assert loads[0].count == loads[1].count > 0
