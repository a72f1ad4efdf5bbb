# SPDX-License-Identifier: GPL-3.0-or-later
"""The soak's verdict: whatever could go wrong with a message is found."""

import random
import subprocess
import sys

import pytest

from sandbox.environment import Sandbox
from sandbox.kafka_client import KafkaClient
from sandbox.soak.checks import judge
from sandbox.soak.load import GOOD, Load, Sent, number_of
from sandbox.workflow_store import CreatedWorkflow

REPO_INIT, INSPECTION = GOOD
BAD_PLACE = (1, 7)


def _created(*numbers: int) -> list[CreatedWorkflow]:
    return [
        CreatedWorkflow("thoth-repo-init", f"name-{place}", "ns", {"project-url": f"soak-{number:07}"}, {}, {}, place)
        for place, number in enumerate(numbers)
    ]


@pytest.fixture
def sent() -> Sent:
    """Four good messages, of which 0, 1 and 3 have one key, and a bad one."""
    good = dict.fromkeys(range(4), REPO_INIT)
    return Sent(good, {(REPO_INIT, b"key"): [0, 1, 3]}, {REPO_INIT: {BAD_PLACE}})


def test_all_is_well_where_each_good_message_led_to_one_workflow_and_each_bad_one_is_kept(sent: Sent) -> None:
    """Messages of different keys may pass each other; workflows of others count for nothing."""
    others = [CreatedWorkflow("solver", "solver", "ns", {"THOTH_SOLVER_NAME": "solver"}, {}, {}, 0.0)]
    verdict = judge(sent, [*_created(2, 0, 1, 3), *others], {REPO_INIT: [BAD_PLACE, BAD_PLACE]})
    assert verdict.is_good


def test_what_was_lost_done_twice_or_out_of_order_is_found(sent: Sent) -> None:
    """Each with the numbers of the messages, to look them up."""
    verdict = judge(sent, _created(3, 1, 1, 0), {REPO_INIT: [BAD_PLACE]})
    assert (verdict.lost, verdict.twice) == ([2], [1])
    assert verdict.disordered == [(0, 1), (1, 3)]
    assert not verdict.is_good


@pytest.mark.parametrize("letters", [[], [BAD_PLACE, (0, 3)]])
def test_dead_letters_that_are_missing_or_should_not_be_there_are_found(
    sent: Sent, letters: list[tuple[int, int]]
) -> None:
    """The bad one, and only that, is to be kept."""
    verdict = judge(sent, _created(0, 1, 2, 3), {REPO_INIT: letters})
    assert (verdict.unkept, verdict.misjudged) in (
        ([(REPO_INIT, BAD_PLACE)], []),
        ([], [(REPO_INIT, (0, 3))]),
    )
    assert not verdict.is_good


@pytest.mark.parametrize(
    "words", [("--duration", "x"), ("--duration", "0"), ("--duration", "nan"), ("--duration", "inf"), ("--seed", "x")]
)
def test_what_can_not_be_done_is_refused_before_anything_starts(words: tuple[str, str]) -> None:
    """With the option and the value that is wrong, and a status that is neither that of a success nor of a loss."""
    done = subprocess.run([sys.executable, "-m", "sandbox.soak", *words], check=False, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (2, "")
    assert words[0] in done.stderr
    assert repr(words[1]) in done.stderr


async def test_a_seed_repeats_what_is_sent(sandbox: Sandbox) -> None:
    """So that a run that failed can be looked at again."""
    await sandbox.broker.create_topics([sandbox.topic(base_name) for base_name in GOOD], partitions=3)
    loads = []
    async with KafkaClient(sandbox.broker.bootstrap_servers) as kafka:
        for _ in range(2):
            load = Load(random.Random(7), kafka, sandbox.deployment)  # noqa: S311 - repeatable chance
            for _ in range(5):
                await load.send_some()
            loads.append(load.sent)
    assert loads[0].good == loads[1].good
    assert loads[0].keyed == loads[1].keyed
    assert loads[0].count == loads[1].count > 0


def test_a_workflow_of_either_kind_tells_its_message() -> None:
    """By the parameter that carries what the message was about."""
    assert number_of({"project-url": "soak-0000012"}) == 12
    assert number_of({"THOTH_SYNC_DOCUMENT_ID": "soak-0000013"}) == 13
    assert number_of({"project-url": "https://example.com"}) is None
