# SPDX-License-Identifier: GPL-3.0-or-later
import pytest

from investigator.agent import Mode
from tests.support.agent_harness import PYPI, RHEL, AgentHarness
from tests.support.examples import RELEASE, Example

BASE_NAME = "thoth.solver.solved-package"
EXAMPLE = Example(
    BASE_NAME,
    required=RELEASE | {"solver": RHEL},
    workflows={Mode.MIDDLETIER: ["kebechet-administrator", "security-indicator"]},
)


async def test_the_security_analysis_and_kebechets_administrator_are_scheduled() -> None:
    """The administrator gets the solver's name; the analysis does not depend on it."""
    harness = AgentHarness()

    assert await harness.handle(BASE_NAME, EXAMPLE.fields) is None

    assert harness.kinds() == ["kebechet-administrator", "security-indicator"]
    assert harness.parameters("kebechet-administrator") == [
        {
            "THOTH_PACKAGE_NAME": "flask",
            "THOTH_PACKAGE_VERSION": "2.0.2",
            "THOTH_PACKAGE_INDEX": PYPI,
            "THOTH_SOLVER_NAME": RHEL,
            "THOTH_MESSAGE_TYPE": BASE_NAME,
        }
    ]


async def test_an_analysed_version_is_not_analysed_again() -> None:
    """Every solver sends this message for the same version; one analysis is enough."""
    harness = AgentHarness()
    harness.graph.aggregated.add(("flask", "2.0.2", PYPI))

    assert await harness.handle(BASE_NAME, EXAMPLE.fields) is None

    assert harness.kinds() == ["kebechet-administrator"]


@pytest.mark.parametrize(
    ("setting", "kinds"),
    [
        ("THOTH_INVESTIGATOR_SCHEDULE_SECURITY", ["kebechet-administrator"]),
        ("THOTH_INVESTIGATOR_KEBECHET_ADMINISTRATOR", ["security-indicator"]),
    ],
)
async def test_a_disabled_kind_of_workflow_is_not_scheduled(setting: str, kinds: list[str]) -> None:
    """Each setting disables its own kind of workflow only."""
    harness = AgentHarness(**{setting: "0"})

    assert await harness.handle(BASE_NAME, EXAMPLE.fields) is None

    assert harness.kinds() == kinds
