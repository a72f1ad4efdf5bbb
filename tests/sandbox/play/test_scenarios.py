# SPDX-License-Identifier: GPL-3.0-or-later
"""The scenarios as one whole: what they expect, without anything running."""

from pathlib import Path

import pytest

from investigator.app import load_message_types
from investigator.argo.kinds import WORKFLOW_KINDS
from sandbox.broker import RunningBroker
from sandbox.cluster import ClusterStandIn
from sandbox.environment import Sandbox
from sandbox.kafka_client import KafkaClient
from sandbox.package_index import PackageIndexServer
from sandbox.play.context import ScenarioContext
from sandbox.play.scenarios import SCENARIOS
from sandbox.postgres import Database


@pytest.fixture
def world(tmp_path: Path) -> ScenarioContext:
    """A world of which nothing runs."""
    parts = (RunningBroker("nowhere:9092"), Database(1, "none"), ClusterStandIn(), PackageIndexServer())
    return ScenarioContext(Sandbox(*parts, deployment="sandbox", folder=tmp_path), KafkaClient("nowhere:9092"), print)


def test_every_message_type_occurs(world: ScenarioContext) -> None:
    """Guarantee: nothing that investigator handles is left out of the story."""
    played = {name for scenario in SCENARIOS for name, count in scenario.expected(world).messages.items() if count}
    assert played == set(load_message_types())


def test_every_kind_of_workflow_occurs(world: ScenarioContext) -> None:
    """Guarantee: nothing that investigator schedules is left out of the story."""
    kinds = {kind for scenario in SCENARIOS for _, kind in scenario.expected(world).workflows}
    assert kinds == set(WORKFLOW_KINDS)


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
