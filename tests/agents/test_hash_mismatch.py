# SPDX-License-Identifier: GPL-3.0-or-later
import pytest

from investigator.agent import Mode
from tests.support.agent_fakes import FaultInjector
from tests.support.agent_harness import PYPI, SOLVERS, AgentHarness
from tests.support.examples import EVERY_SOLVER, RELEASE, Example

BASE_NAME = "thoth.package-update.hash-mismatch"
EXAMPLE = Example(
    BASE_NAME,
    required=RELEASE | {"missing_from_source": ["7b2fb8e9", "cb90f62f"], "missing_from_database": ["ac1ee43d"]},
    workflows={Mode.MIDDLETIER: [EVERY_SOLVER], Mode.BACKEND: ["kebechet-administrator"]},
    changes_graph_in={Mode.MIDDLETIER},
)
ABSENT = [("hashes absent", "flask", "2.0.2", PYPI, "7b2fb8e9", "cb90f62f")]


async def test_middletier_schedules_all_solvers_and_marks_the_lost_hashes() -> None:
    """The solvers find the new hashes; the graph marks those that the index no longer has."""
    harness = AgentHarness()

    assert await harness.handle(BASE_NAME, EXAMPLE.fields, modes=[Mode.MIDDLETIER]) is None

    assert [parameters["THOTH_SOLVER_NAME"] for parameters in harness.parameters("solver")] == sorted(SOLVERS)
    assert {parameters["THOTH_SOLVER_PACKAGES"] for parameters in harness.parameters("solver")} == {"flask===2.0.2"}
    assert harness.graph.changes == ABSENT


async def test_no_hash_is_marked_before_all_solvers_are_scheduled() -> None:
    """Otherwise the version would have no valid hash until the solvers run."""
    for number in range(1, 2 + len(SOLVERS)):
        harness = AgentHarness(FaultInjector(fail_at=number))

        assert await harness.handle(BASE_NAME, EXAMPLE.fields, modes=[Mode.MIDDLETIER]) is not None

        assert harness.graph.changes == []


async def test_the_graph_does_not_change_when_the_index_lost_no_hash() -> None:
    """New hashes are stored by the solvers."""
    harness = AgentHarness()

    assert await harness.handle(BASE_NAME, {**EXAMPLE.fields, "missing_from_source": []}) is None

    assert harness.graph.changes == []


@pytest.mark.parametrize("modes", [[Mode.BACKEND], [Mode.MIDDLETIER, Mode.BACKEND]])
async def test_backend_schedules_kebechets_administrator(modes: list[Mode]) -> None:
    """Projects may have locked a hash that the index no longer has."""
    harness = AgentHarness()

    assert await harness.handle(BASE_NAME, EXAMPLE.fields, modes=modes) is None

    assert harness.parameters("kebechet-administrator") == [
        {
            "THOTH_PACKAGE_NAME": "flask",
            "THOTH_PACKAGE_VERSION": "2.0.2",
            "THOTH_PACKAGE_INDEX": PYPI,
            "THOTH_MESSAGE_TYPE": BASE_NAME,
        }
    ]


async def test_hashes_are_marked_when_solvers_are_disabled() -> None:
    """The setting disables workflows only, not changes of the graph."""
    harness = AgentHarness(THOTH_INVESTIGATOR_SCHEDULE_SOLVER="0", THOTH_INVESTIGATOR_KEBECHET_ADMINISTRATOR="0")

    assert await harness.handle(BASE_NAME, EXAMPLE.fields) is None

    assert harness.workflows == []
    assert harness.graph.changes == ABSENT
