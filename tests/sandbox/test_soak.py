# SPDX-License-Identifier: GPL-3.0-or-later
"""The checks of the soak test find lost, repeated, reordered and wrongly dead-lettered messages."""

import random
import subprocess
import sys

import pytest

from sandbox.environment import Sandbox
from sandbox.kafka_client import KafkaClient
from sandbox.soak.checks import check_messages
from sandbox.soak.load import FIELDS, Load, Sent, number_of
from sandbox.workflow_store import CreatedWorkflow

REPO_INIT, INSPECTION = FIELDS
INVALID = (1, 7)


def _created(*numbers: int) -> list[CreatedWorkflow]:
    return [
        CreatedWorkflow("thoth-repo-init", f"name-{index}", "ns", {"project-url": f"soak-{number:07}"}, {}, {}, index)
        for index, number in enumerate(numbers)
    ]


@pytest.fixture
def sent() -> Sent:
    """Four valid messages, of which 0, 1 and 3 have the same key, and an invalid one."""
    valid = dict.fromkeys(range(4), REPO_INIT)
    return Sent(valid, {(REPO_INIT, b"key"): [0, 1, 3]}, {REPO_INIT: {INVALID}})


def test_one_workflow_per_valid_message_and_a_dead_letter_per_invalid_one_pass(sent: Sent) -> None:
    """Messages with different keys may overtake each other; other workflows are ignored."""
    others = [CreatedWorkflow("solver", "solver", "ns", {"THOTH_SOLVER_NAME": "solver"}, {}, {}, 0.0)]
    verdict = check_messages(sent, [*_created(2, 0, 1, 3), *others], {REPO_INIT: [INVALID, INVALID]})
    assert verdict.passed


def test_lost_repeated_and_reordered_messages_are_found(sent: Sent) -> None:
    """The verdict has the numbers of the messages."""
    verdict = check_messages(sent, _created(3, 1, 1, 0), {REPO_INIT: [INVALID]})
    assert (verdict.lost, verdict.duplicated) == ([2], [1])
    assert verdict.out_of_order == [(0, 1), (1, 3)]
    assert not verdict.passed


@pytest.mark.parametrize("dead_letters", [[], [INVALID, (0, 3)]])
def test_missing_and_unexpected_dead_letters_are_found(sent: Sent, dead_letters: list[tuple[int, int]]) -> None:
    """Exactly the invalid message must have a dead letter."""
    verdict = check_messages(sent, _created(0, 1, 2, 3), {REPO_INIT: dead_letters})
    assert (verdict.not_dead_lettered, verdict.wrongly_dead_lettered) in (
        ([(REPO_INIT, INVALID)], []),
        ([], [(REPO_INIT, (0, 3))]),
    )
    assert not verdict.passed


@pytest.mark.parametrize(
    "option", [("--duration", "x"), ("--duration", "0"), ("--duration", "nan"), ("--duration", "inf"), ("--seed", "x")]
)
def test_invalid_options_are_refused_before_any_server_starts(option: tuple[str, str]) -> None:
    """The error names the option and its value; status 2 is neither that of a pass nor that of a failure."""
    done = subprocess.run([sys.executable, "-m", "sandbox.soak", *option], check=False, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (2, "")
    assert option[0] in done.stderr
    assert repr(option[1]) in done.stderr


async def test_a_seed_repeats_the_messages(sandbox: Sandbox) -> None:
    """A failed run can be repeated."""
    await sandbox.broker.create_topics([sandbox.topic(base_name) for base_name in FIELDS], partitions=3)
    loads = []
    async with KafkaClient(sandbox.broker.bootstrap_servers) as kafka:
        for _ in range(2):
            load = Load(random.Random(7), kafka, sandbox.deployment)  # noqa: S311 - a repeatable sequence
            for _ in range(5):
                await load.send_some()
            loads.append(load.sent)
    assert loads[0].valid == loads[1].valid
    assert loads[0].keyed == loads[1].keyed
    assert loads[0].count == loads[1].count > 0


def test_the_parameters_of_a_workflow_identify_its_message() -> None:
    """Both kinds of workflow repeat the number; other workflows have none."""
    assert number_of({"project-url": "soak-0000012"}) == 12
    assert number_of({"THOTH_SYNC_DOCUMENT_ID": "soak-0000013"}) == 13
    assert number_of({"project-url": "https://example.com"}) is None
