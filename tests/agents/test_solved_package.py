# SPDX-License-Identifier: GPL-3.0-or-later
import pytest

from tests.agents.examples import RELEASE
from tests.support.agent_harness import PYPI, RHEL, AgentHarness

BASE_NAME = "thoth.solver.solved-package"
SOLVED = {**RELEASE, "solver": RHEL}


async def test_security_is_analysed_next_and_kebechets_administrator_is_told() -> None:
    """The administrator learns by which solver; the analysis does not depend on it."""
    harness = AgentHarness()

    assert await harness.handle(BASE_NAME, SOLVED) is None

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


async def test_a_package_that_was_analysed_is_only_told_about() -> None:
    """Every solver sends this message for the same version; one analysis is enough."""
    harness = AgentHarness()
    harness.graph.aggregated.add(("flask", "2.0.2", PYPI))

    assert await harness.handle(BASE_NAME, SOLVED) is None

    assert harness.kinds() == ["kebechet-administrator"]


@pytest.mark.parametrize(
    ("switch", "kinds"),
    [
        ("THOTH_INVESTIGATOR_SCHEDULE_SECURITY", ["kebechet-administrator"]),
        ("THOTH_INVESTIGATOR_KEBECHET_ADMINISTRATOR", ["security-indicator"]),
    ],
)
async def test_what_is_switched_off_is_not_scheduled(switch: str, kinds: list[str]) -> None:
    """Each switch stops its own kind of workflow only."""
    harness = AgentHarness(**{switch: "0"})

    assert await harness.handle(BASE_NAME, SOLVED) is None

    assert harness.kinds() == kinds
