# SPDX-License-Identifier: GPL-3.0-or-later
import pytest

from investigator.agent import Mode
from tests.agents.examples import EXAMPLES
from tests.support.agent_fakes import FaultInjector
from tests.support.agent_harness import PYPI, SOLVERS, AgentHarness

BASE_NAME = "thoth.package-update.hash-mismatch"
FIELDS = EXAMPLES[BASE_NAME].fields
MARKED = [("hashes absent", "flask", "2.0.2", PYPI, "7b2fb8e9", "cb90f62f")]


async def test_solvers_learn_the_new_hashes_and_the_lost_ones_are_marked() -> None:
    """Every hash that the index no longer has is marked, after the solvers were scheduled."""
    harness = AgentHarness()

    assert await harness.handle(BASE_NAME, FIELDS, modes=[Mode.MIDDLETIER]) is None

    assert [given["THOTH_SOLVER_NAME"] for given in harness.parameters("solver")] == sorted(SOLVERS)
    assert {given["THOTH_SOLVER_PACKAGES"] for given in harness.parameters("solver")} == {"flask===2.0.2"}
    assert harness.graph.changes == MARKED


async def test_nothing_is_marked_unless_every_solver_is_scheduled() -> None:
    """A hash that is marked before the new ones are learnt would leave the version without any."""
    for number in range(1, 2 + len(SOLVERS)):
        harness = AgentHarness(FaultInjector(fail_at=number))

        assert await harness.handle(BASE_NAME, FIELDS, modes=[Mode.MIDDLETIER]) is not None

        assert harness.graph.changes == []


async def test_an_index_that_lacks_no_hash_changes_nothing_in_the_graph() -> None:
    """New hashes alone are the solvers' business."""
    harness = AgentHarness()

    assert await harness.handle(BASE_NAME, {**FIELDS, "missing_from_source": []}) is None

    assert harness.graph.changes == []


@pytest.mark.parametrize("modes", [[Mode.BACKEND], [Mode.MIDDLETIER, Mode.BACKEND]])
async def test_kebechets_administrator_is_told_in_backend_mode(modes: list[Mode]) -> None:
    """Projects may have locked a hash that is gone."""
    harness = AgentHarness()

    assert await harness.handle(BASE_NAME, FIELDS, modes=modes) is None

    assert harness.parameters("kebechet-administrator") == [
        {
            "THOTH_PACKAGE_NAME": "flask",
            "THOTH_PACKAGE_VERSION": "2.0.2",
            "THOTH_PACKAGE_INDEX": PYPI,
            "THOTH_MESSAGE_TYPE": BASE_NAME,
        }
    ]


async def test_hashes_are_marked_when_solvers_are_switched_off() -> None:
    """The switch is about the workflows, not about what the graph holds."""
    harness = AgentHarness(THOTH_INVESTIGATOR_SCHEDULE_SOLVER="0", THOTH_INVESTIGATOR_KEBECHET_ADMINISTRATOR="0")

    assert await harness.handle(BASE_NAME, FIELDS) is None

    assert harness.workflows == []
    assert harness.graph.changes == MARKED
