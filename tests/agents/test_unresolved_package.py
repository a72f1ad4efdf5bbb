# SPDX-License-Identifier: GPL-3.0-or-later

import pytest

from investigator.agent import Mode, PermanentError, TemporaryError
from tests.agents.unresolved_flask import BASE_NAME, FLASK, harness_with_versions, scheduled
from tests.support.agent_fakes import FaultInjector
from tests.support.agent_harness import FEDORA, PYPI, RHEL, SOLVERS, UBI, AgentHarness
from tests.support.examples import EVERY_SOLVER, Example

EXAMPLE = Example(
    BASE_NAME,
    required={"package_name": "flask", "index_url": PYPI},
    optional={"package_version": "2.0.2", "solver": RHEL},
    workflows={Mode.MIDDLETIER: [EVERY_SOLVER]},
)


async def test_every_solver_gets_a_version_that_the_graph_does_not_know() -> None:
    """Even if the message names one solver: all environments need a new version."""
    harness = AgentHarness()

    assert await harness.handle(BASE_NAME, {**FLASK, "package_version": "2.0.1", "solver": RHEL}) is None

    assert sorted(scheduled(harness)) == sorted(("2.0.1", solver) for solver in SOLVERS)


async def test_dependencies_are_looked_up_on_all_enabled_indexes() -> None:
    """The package itself is looked up on its own index only."""
    harness = AgentHarness()
    harness.graph.indexes["https://example.com/disabled/simple"] = False

    assert await harness.handle(BASE_NAME, {**FLASK, "package_version": "2.0.1"}) is None

    assert harness.parameters("solver")[0] == {
        "THOTH_SOLVER_NAME": FEDORA,
        "THOTH_SOLVER_PACKAGES": "flask===2.0.1",
        "THOTH_SOLVER_INDEXES": PYPI,
        "THOTH_SOLVER_DEPENDENCY_INDEXES": f"{PYPI},https://tensorflow.pypi.thoth-station.ninja/simple",
        "THOTH_SOLVER_NO_TRANSITIVE": "1",
        "THOTH_FORCE_SYNC": "0",
        "THOTH_LOG_SOLVER": "INFO",
    }


async def test_only_solvers_that_have_not_solved_a_known_version_get_it() -> None:
    """No solver solves a version twice."""
    harness = AgentHarness()
    harness.graph.solved.add(("flask", "2.0.1", PYPI, FEDORA))

    assert await harness.handle(BASE_NAME, {**FLASK, "package_version": "2.0.1"}) is None

    assert scheduled(harness) == [("2.0.1", RHEL), ("2.0.1", UBI)]


@pytest.mark.parametrize(("solver", "expected"), [(UBI, [("2.0.1", UBI)]), (FEDORA, []), (None, None), ("", None)])
async def test_only_the_named_solver_gets_a_known_version(
    solver: str | None, expected: list[tuple[str, str]] | None
) -> None:
    """The adviser waits for that environment. Without a name, all solvers that have not solved the version get it."""
    harness = AgentHarness()
    harness.graph.solved.add(("flask", "2.0.1", PYPI, FEDORA))

    assert await harness.handle(BASE_NAME, {**FLASK, "package_version": "2.0.1", "solver": solver}) is None

    assert scheduled(harness) == ([("2.0.1", RHEL), ("2.0.1", UBI)] if expected is None else expected)


async def test_the_missing_solvers_are_determined_for_each_version() -> None:
    """One version is solved by all solvers, one by one solver, and two by none."""
    harness = harness_with_versions()
    harness.graph.solved |= {("flask", "2.0.2", PYPI, solver) for solver in SOLVERS}
    harness.graph.solved.add(("flask", "2.0.1", PYPI, UBI))

    assert await harness.handle(BASE_NAME, FLASK) is None

    assert scheduled(harness)[:2] == [("2.0.1", RHEL), ("2.0.1", FEDORA)]
    assert len(scheduled(harness)) == 2 + 2 * len(SOLVERS)


async def test_a_solver_that_is_not_installed_fails_permanently() -> None:
    """The cluster would accept a workflow that can't start."""
    harness = AgentHarness()
    harness.graph.solved.add(("flask", "2.0.1", PYPI, FEDORA))
    fields = {**FLASK, "package_version": "2.0.1", "solver": "solver-rhel-7-py36"}

    failure = await harness.handle(BASE_NAME, fields, attempts=5)

    assert failure is not None
    assert isinstance(failure.error, PermanentError)
    assert str(failure.error) == "field 'solver': no solver 'solver-rhel-7-py36' is installed"


async def test_nothing_is_called_when_solvers_are_disabled() -> None:
    """The message is consumed, but has no effect."""
    harness = AgentHarness(THOTH_INVESTIGATOR_SCHEDULE_SOLVER="0")

    assert await harness.handle(BASE_NAME, FLASK) is None

    assert harness.faults.calls == 0


async def test_the_next_attempt_schedules_the_versions_after_a_failure() -> None:
    """No workflow is requested twice, and none is lost."""
    whole = harness_with_versions()
    assert await whole.handle(BASE_NAME, FLASK) is None

    for number in range(1, whole.faults.calls + 1):
        harness = harness_with_versions(FaultInjector(fail_at=number))
        assert await harness.handle(BASE_NAME, FLASK, attempts=2) is None

        assert sorted(harness.scheduler.requests) == sorted(whole.scheduler.requests)
        assert [version for version, _ in scheduled(harness)] == [version for version, _ in scheduled(whole)]
        # Only the two lists of indexes, the solvers and the failed call are repeated: an operator may have fixed them.
        assert harness.faults.calls <= whole.faults.calls + 4


async def test_a_solver_that_finishes_before_the_retry_does_not_hide_the_others() -> None:
    """The graph then knows the version; the other solvers must still get it although the message names one solver."""
    # The seventh call is the second solver's, after both lists of indexes, the version, the solvers, the spelling of
    # the index, and the first solver.
    harness = AgentHarness(FaultInjector(fail_at=7))
    harness.scheduler.on_created = lambda workflow: harness.graph.solved.add(
        ("flask", "2.0.1", PYPI, workflow.parameters["THOTH_SOLVER_NAME"])
    )

    assert await harness.handle(BASE_NAME, {**FLASK, "package_version": "2.0.1", "solver": RHEL}, attempts=2) is None

    assert sorted(solver for _, solver in scheduled(harness)) == sorted(SOLVERS)


async def test_a_failed_solver_does_not_stop_the_other_solvers_of_the_version() -> None:
    """They do not wait for the retry."""
    harness = AgentHarness(FaultInjector(fail_at=6, error=TemporaryError("unavailable")))

    failure = await harness.handle(BASE_NAME, {**FLASK, "package_version": "2.0.1"})

    assert failure is not None
    assert len(harness.workflows) == len(SOLVERS) - 1
