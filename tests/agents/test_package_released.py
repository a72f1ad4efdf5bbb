# SPDX-License-Identifier: GPL-3.0-or-later
import pytest

from tests.agents.examples import RELEASE
from tests.support.agent_harness import PYPI, SOLVERS, AgentHarness

BASE_NAME = "thoth.package-release.package-released"


async def test_every_solver_and_the_reverse_solver_learn_about_the_release() -> None:
    """Each installed solver gets a workflow under an id of its own name; the reverse solver gets one."""
    harness = AgentHarness()

    assert await harness.handle(BASE_NAME, RELEASE) is None

    assert harness.parameters("solver") == [
        {
            "THOTH_SOLVER_NAME": solver,
            "THOTH_SOLVER_PACKAGES": "flask===2.0.2",
            "THOTH_SOLVER_INDEXES": PYPI,
            "THOTH_SOLVER_NO_TRANSITIVE": "1",
            "THOTH_FORCE_SYNC": "0",
            "THOTH_LOG_SOLVER": "INFO",
        }
        for solver in sorted(SOLVERS)
    ]
    assert harness.parameters("revsolver") == [
        {
            "THOTH_REVSOLVER_PACKAGE_NAME": "flask",
            "THOTH_REVSOLVER_PACKAGE_VERSION": "2.0.2",
            "THOTH_LOG_REVSOLVER": "INFO",
        }
    ]
    prefixes = sorted(workflow.id.rsplit("-", 2)[0] for workflow in harness.workflows)
    assert prefixes == sorted([*SOLVERS, "revsolver"])


@pytest.mark.parametrize(
    ("switched_off", "kinds"),
    [
        (["SOLVER"], ["revsolver"]),
        (["REVSOLVER"], ["solver", "solver", "solver"]),
        (["SOLVER", "REVSOLVER"], []),
    ],
)
async def test_what_is_switched_off_is_not_scheduled(switched_off: list[str], kinds: list[str]) -> None:
    """Operators can stop one kind of learning without stopping the topic."""
    harness = AgentHarness(**{f"THOTH_INVESTIGATOR_SCHEDULE_{name}": "0" for name in switched_off})

    assert await harness.handle(BASE_NAME, RELEASE) is None

    assert harness.kinds() == kinds
    assert harness.faults.calls == len(kinds) + ("solver" in kinds)


@pytest.mark.parametrize(
    ("variable", "kind", "parameter"),
    [
        ("THOTH_LOG_SOLVER", "solver", "THOTH_LOG_SOLVER"),
        ("THOTH_LOG_REVSOLVER", "revsolver", "THOTH_LOG_REVSOLVER"),
    ],
)
async def test_debug_logs_of_one_kind_of_workflow_can_be_asked_for(variable: str, kind: str, parameter: str) -> None:
    """The variable makes the workflows of its kind log more, and no others."""
    harness = AgentHarness(**{variable: "DEBUG"})

    assert await harness.handle(BASE_NAME, RELEASE) is None

    assert {given[parameter] for given in harness.parameters(kind)} == {"DEBUG"}
    assert str([harness.parameters("solver"), harness.parameters("revsolver")]).count("INFO") == (
        1 if kind == "solver" else len(SOLVERS)
    )


async def test_without_an_installed_solver_only_the_reverse_solver_learns() -> None:
    """An empty list of solvers is no error: there is nothing to schedule."""
    harness = AgentHarness()
    harness.scheduler.solvers.clear()

    assert await harness.handle(BASE_NAME, RELEASE) is None

    assert harness.kinds() == ["revsolver"]
