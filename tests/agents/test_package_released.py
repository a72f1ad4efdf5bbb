# SPDX-License-Identifier: GPL-3.0-or-later
import pytest

from investigator.agent import Mode
from tests.support.agent_harness import PYPI, SOLVERS, AgentHarness
from tests.support.examples import EVERY_SOLVER, RELEASE, Example

BASE_NAME = "thoth.package-release.package-released"
EXAMPLE = Example(BASE_NAME, required=RELEASE, workflows={Mode.MIDDLETIER: ["revsolver", EVERY_SOLVER]})


async def test_every_solver_and_the_reverse_solver_get_the_release() -> None:
    """Each workflow of a solver has an id that begins with the solver's name."""
    harness = AgentHarness()

    assert await harness.handle(BASE_NAME, EXAMPLE.fields) is None

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
    ("disabled", "kinds"),
    [
        (["SOLVER"], ["revsolver"]),
        (["REVSOLVER"], ["solver", "solver", "solver"]),
        (["SOLVER", "REVSOLVER"], []),
    ],
)
async def test_a_disabled_kind_of_workflow_is_not_scheduled(disabled: list[str], kinds: list[str]) -> None:
    """Operators can disable one kind of workflow without halting the topic."""
    harness = AgentHarness(**{f"THOTH_INVESTIGATOR_SCHEDULE_{name}": "0" for name in disabled})

    assert await harness.handle(BASE_NAME, EXAMPLE.fields) is None

    assert harness.kinds() == kinds
    # Solvers need two more calls: their names, and the spelling of the index in the graph.
    assert harness.faults.calls == len(kinds) + 2 * ("solver" in kinds)


@pytest.mark.parametrize(
    ("variable", "kind", "parameter"),
    [
        ("THOTH_LOG_SOLVER", "solver", "THOTH_LOG_SOLVER"),
        ("THOTH_LOG_REVSOLVER", "revsolver", "THOTH_LOG_REVSOLVER"),
    ],
)
async def test_the_log_level_of_each_kind_of_workflow_is_set_on_its_own(
    variable: str, kind: str, parameter: str
) -> None:
    """DEBUG for solvers leaves the reverse solver at INFO, and the other way round."""
    harness = AgentHarness(**{variable: "DEBUG"})

    assert await harness.handle(BASE_NAME, EXAMPLE.fields) is None

    assert {parameters[parameter] for parameters in harness.parameters(kind)} == {"DEBUG"}
    assert str([harness.parameters("solver"), harness.parameters("revsolver")]).count("INFO") == (
        1 if kind == "solver" else len(SOLVERS)
    )


async def test_without_installed_solvers_only_the_reverse_solver_is_scheduled() -> None:
    """An empty list of solvers is not an error."""
    harness = AgentHarness()
    harness.scheduler.solvers.clear()

    assert await harness.handle(BASE_NAME, EXAMPLE.fields) is None

    assert harness.kinds() == ["revsolver"]
