# SPDX-License-Identifier: GPL-3.0-or-later
"""The scenarios as one whole: what they expect, without anything running."""

from pathlib import Path

import pytest

from investigator.agent import Mode
from investigator.argo.kinds import WORKFLOW_KINDS
from investigator.message_types import load_message_types
from sandbox.broker import RunningBroker
from sandbox.cluster import ClusterStandIn
from sandbox.environment import Sandbox
from sandbox.kafka_client import KafkaClient
from sandbox.package_index import PackageIndexServer
from sandbox.play.context import ScenarioContext
from sandbox.play.scenarios import SCENARIOS
from sandbox.postgres import Database
from tests.support.examples import load_examples
from tests.support.message_contract import CONTRACT


@pytest.fixture
def world(tmp_path: Path) -> ScenarioContext:
    """A world of which nothing runs."""
    parts = (RunningBroker("nowhere:9092"), Database(1, "none"), ClusterStandIn(), PackageIndexServer())
    return ScenarioContext(Sandbox(*parts, deployment="sandbox", folder=tmp_path), KafkaClient("nowhere:9092"), print)


def test_the_scenarios_play_every_message_type_of_the_contract(world: ScenarioContext) -> None:
    """A message type that the contract does not name may be registered without a scenario."""
    played = {name for scenario in SCENARIOS for name, count in scenario.expected(world).messages.items() if count}
    assert CONTRACT.keys() <= played <= load_message_types().keys()


def test_the_scenarios_play_every_kind_of_workflow_of_the_contract(world: ScenarioContext) -> None:
    """These are the kinds that the examples of the contract's message types declare."""
    kinds = {kind for scenario in SCENARIOS for _, kind in scenario.expected(world).workflows}
    examples = load_examples()
    declared = {kind for name in CONTRACT for example in examples[name] for kind in example.kinds(Mode, solvers=1)}
    assert declared <= kinds <= WORKFLOW_KINDS.keys()


def test_workflows_are_expected_for_messages_of_the_same_scenario(world: ScenarioContext) -> None:
    """Guarantee: no scenario expects a workflow or flag without the message that asks for it."""
    for scenario in SCENARIOS:
        expected = scenario.expected(world)
        causes = {name for name, _ in expected.workflows} | {flag.base_name for flag in expected.flags}
        assert causes <= set(expected.messages)


def test_the_scenarios_are_those_of_the_contract() -> None:
    """Guarantee: four scenarios, in their order."""
    assert [(scenario.number, scenario.title) for scenario in SCENARIOS] == [
        (1, "Knowledge increase"),
        (2, "Self-learning on errors"),
        (3, "Self-healing of advice"),
        (4, "Users and bots"),
    ]
