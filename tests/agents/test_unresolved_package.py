# SPDX-License-Identifier: GPL-3.0-or-later
import pytest

from investigator.delivery.errors import PermanentError, TemporaryError
from tests.support.agent_fakes import FaultInjector
from tests.support.agent_harness import FEDORA, PYPI, RHEL, SOLVERS, UBI, AgentHarness

BASE_NAME = "thoth.investigator.unresolved-package"
FLASK = {"package_name": "flask", "index_url": PYPI}
VERSIONS = ["2.0.2", "2.0.1", "2.0.0rc1", "1.1.4"]


def harness_with_versions(faults: FaultInjector | None = None, **variables: str) -> AgentHarness:
    """Make a harness whose index lists four versions of flask."""
    harness = AgentHarness(faults, **variables)
    harness.index.listed[PYPI, "flask"] = list(VERSIONS)
    return harness


def scheduled(harness: AgentHarness) -> list[tuple[str, str]]:
    """Tell which versions which solvers are to solve, in the order of scheduling."""
    return [
        (
            workflow.parameters["THOTH_SOLVER_PACKAGES"].removeprefix("flask==="),
            workflow.parameters["THOTH_SOLVER_NAME"],
        )
        for workflow in harness.workflows
    ]


async def test_a_version_that_the_graph_does_not_know_is_for_every_solver() -> None:
    """Even if the adviser waits for one solver only: what is learnt at all is learnt for all environments."""
    harness = AgentHarness()

    assert await harness.handle(BASE_NAME, {**FLASK, "package_version": "2.0.1", "solver": RHEL}) is None

    assert sorted(scheduled(harness)) == sorted(("2.0.1", solver) for solver in SOLVERS)


async def test_a_workflow_looks_the_package_up_on_its_index_and_dependencies_on_all_enabled_ones() -> None:
    """A package of one index depends on packages of others, but not on those of an index that was disabled."""
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


async def test_a_known_version_is_for_the_solvers_that_lack_it() -> None:
    """What a solver has solved is not solved again."""
    harness = AgentHarness()
    harness.graph.solved.add(("flask", "2.0.1", PYPI, FEDORA))

    assert await harness.handle(BASE_NAME, {**FLASK, "package_version": "2.0.1"}) is None

    assert scheduled(harness) == [("2.0.1", RHEL), ("2.0.1", UBI)]


@pytest.mark.parametrize(("asked", "expected"), [(UBI, [("2.0.1", UBI)]), (FEDORA, []), (None, None), ("", None)])
async def test_a_known_version_is_for_the_named_solver_only(
    asked: str | None, expected: list[tuple[str, str]] | None
) -> None:
    """The adviser waits for that environment; without a name all that lack it are meant."""
    harness = AgentHarness()
    harness.graph.solved.add(("flask", "2.0.1", PYPI, FEDORA))

    assert await harness.handle(BASE_NAME, {**FLASK, "package_version": "2.0.1", "solver": asked}) is None

    assert scheduled(harness) == ([("2.0.1", RHEL), ("2.0.1", UBI)] if expected is None else expected)


@pytest.mark.parametrize("nothing", [None, "", "*"])
async def test_without_a_version_every_listed_one_is_meant_latest_first(nothing: str | None) -> None:
    """The latest is the likeliest advice, so it must not wait behind a long history."""
    harness = harness_with_versions()

    assert await harness.handle(BASE_NAME, {**FLASK, "package_version": nothing}) is None

    versions = [version for version, _ in scheduled(harness)]
    assert versions == [version for version in VERSIONS for _ in SOLVERS]


async def test_each_version_is_judged_by_itself() -> None:
    """Known, half known and unknown versions of one package get just the solvers that they lack."""
    harness = harness_with_versions()
    harness.graph.solved |= {("flask", "2.0.2", PYPI, solver) for solver in SOLVERS}
    harness.graph.solved.add(("flask", "2.0.1", PYPI, UBI))

    assert await harness.handle(BASE_NAME, FLASK) is None

    assert scheduled(harness)[:2] == [("2.0.1", RHEL), ("2.0.1", FEDORA)]
    assert len(scheduled(harness)) == 2 + 2 * len(SOLVERS)


async def test_an_index_that_is_not_registered_is_refused_for_good() -> None:
    """No retry can register it: the message goes its way at once and never reaches the index or the cluster."""
    harness = AgentHarness()

    failure = await harness.handle(BASE_NAME, {**FLASK, "index_url": "https://example.com/simple"}, attempts=5)

    assert failure is not None
    assert isinstance(failure.error, PermanentError)
    assert str(failure.error) == "field 'index_url': no index 'https://example.com/simple' is registered in the graph"
    assert (failure.attempts, harness.faults.calls) == (1, 1)


async def test_an_index_that_is_registered_but_disabled_is_served() -> None:
    """Whoever asks by name gets an answer; disabled only means that nothing is looked up there unasked."""
    harness = AgentHarness()
    harness.graph.indexes[PYPI] = False

    assert await harness.handle(BASE_NAME, {**FLASK, "package_version": "2.0.1"}) is None

    assert len(harness.workflows) == len(SOLVERS)
    assert PYPI not in harness.parameters("solver")[0]["THOTH_SOLVER_DEPENDENCY_INDEXES"]


async def test_nothing_is_asked_of_anybody_when_solvers_are_switched_off() -> None:
    """The topic is consumed, but that is all."""
    harness = AgentHarness(THOTH_INVESTIGATOR_SCHEDULE_SOLVER="0")

    assert await harness.handle(BASE_NAME, FLASK) is None

    assert harness.faults.calls == 0


async def test_versions_behind_a_failure_are_scheduled_by_the_next_attempt() -> None:
    """A fan-out goes on where it stopped: nothing before the failure is repeated, nothing behind it is lost."""
    whole = harness_with_versions()
    assert await whole.handle(BASE_NAME, FLASK) is None

    for number in range(1, whole.faults.calls + 1):
        harness = harness_with_versions(FaultInjector(fail_at=number))
        assert await harness.handle(BASE_NAME, FLASK, attempts=2) is None

        assert sorted(harness.scheduler.requests) == sorted(whole.scheduler.requests)
        assert [version for version, _ in scheduled(harness)] == [version for version, _ in scheduled(whole)]
        # Indexes and solvers may have been put right by an operator; they, and what failed, are all that is asked anew.
        assert harness.faults.calls <= whole.faults.calls + 4


async def test_what_one_attempt_achieved_does_not_rob_the_next_of_its_work() -> None:
    """A solver that was scheduled may be done before the retry: the others are scheduled all the same."""
    harness = AgentHarness(
        FaultInjector(fail_at=6)
    )  # the second solver, after two questions to the graph, the version, and the names
    harness.scheduler.when_created = lambda workflow: harness.graph.solved.add(
        ("flask", "2.0.1", PYPI, workflow.parameters["THOTH_SOLVER_NAME"])
    )

    assert await harness.handle(BASE_NAME, {**FLASK, "package_version": "2.0.1", "solver": RHEL}, attempts=2) is None

    assert sorted(solver for _, solver in scheduled(harness)) == sorted(SOLVERS)


async def test_every_solver_of_a_version_is_tried_before_the_attempt_ends() -> None:
    """One solver's trouble does not keep the others of the same version waiting for the retry."""
    harness = AgentHarness(FaultInjector(fail_at=5, error=TemporaryError("away")))

    failure = await harness.handle(BASE_NAME, {**FLASK, "package_version": "2.0.1"})

    assert failure is not None
    assert len(harness.workflows) == len(SOLVERS) - 1
