# SPDX-License-Identifier: GPL-3.0-or-later
import re
import shlex
from pathlib import Path

import click
import pytest
import yaml

from investigator.cli import add_commands
from investigator.message_types import load_message_types
from investigator.observability.metrics import definitions
from investigator.observability.redaction import Redactor
from investigator.operations import Operations
from investigator.settings import load_settings
from investigator.settings.reference import reference
from tests.integration.cli.conftest import ENVIRONMENT

PAGE = (Path(__file__).parents[3] / "docs" / "operations.md").read_text()
COMMANDS = re.findall(r"faust -A investigator ((?!worker|\.\.\.)[^`\n|]+)", PAGE)


@pytest.fixture
def program() -> click.Group:
    """Return a program with the operators' commands, whose settings name no broker that runs."""
    variables = {**ENVIRONMENT, "KAFKA_BOOTSTRAP_SERVERS": "localhost:1", "THOTH_DEPLOYMENT_NAME": "ocp4-stage"}
    group = click.Group()
    add_commands(group, Operations(load_settings(variables), load_message_types(), Redactor()))
    return group


def _parse(command: click.Command, words: list[str]) -> None:
    """Parse the words as the command does, without running it; raises a UsageError for wrong ones."""
    if isinstance(command, click.Group):
        inner = command.commands.get(words[0])
        assert inner, f"no command {words[0]!r}"
        _parse(inner, words[1:])
    else:
        command.make_context(command.name, words)


def test_there_are_commands_on_the_page() -> None:
    """The next test has commands to check."""
    assert len(COMMANDS) > 7


@pytest.mark.parametrize("command", COMMANDS)
def test_each_command_of_the_page_exists_with_its_options(program: click.Group, command: str) -> None:
    """An operator can paste it."""
    if "..." not in command:
        _parse(program, shlex.split(command))


def test_metrics_and_settings_of_the_page_exist() -> None:
    """An alert on a metric that no worker writes never fires."""
    kinds = r"_(?:total|info)\b"
    metrics = {re.sub(kinds, "", name) for name in re.findall(r"\b(?:thoth_[a-z_]+|message_count_by_version)", PAGE)}
    assert metrics - {each.name for each in definitions()} == set()
    variables = set(re.findall(r"\b(?:KAFKA|THOTH|ARGO)_[A-Z_]+\b", PAGE))
    assert variables - {each.variable for each in reference()} == set()


def test_the_alerts_of_the_page_are_yaml_that_names_labels_of_its_metrics() -> None:
    """Each alert aggregates by labels that the metric has."""
    labels = {each.name: set(each.labels) for each in definitions()}
    [block] = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
    for rule in yaml.safe_load(block)["spec"]["groups"][0]["rules"]:
        [*metrics] = [name for name in labels if name in rule["expr"]]
        named = {name.strip() for group in re.findall(r"by \(([^)]*)\)", rule["expr"]) for name in group.split(",")}
        assert metrics, rule
        assert all(
            named <= labels[name] for name in metrics if not any(name in other for other in metrics if other != name)
        ), rule
