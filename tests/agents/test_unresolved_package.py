# SPDX-License-Identifier: GPL-3.0-or-later
import pytest

from investigator.agent import Mode, PermanentError, TemporaryError
from investigator.agent.message import MalformedMessageError
from tests.support.agent_fakes import FaultInjector
from tests.support.agent_harness import FEDORA, PYPI, RHEL, SOLVERS, UBI, AgentHarness
from tests.support.examples import EVERY_SOLVER, Example

BASE_NAME = "thoth.investigator.unresolved-package"
EXAMPLE = Example(
    BASE_NAME,
    required={"package_name": "flask", "index_url": PYPI},
    optional={"package_version": "2.0.2", "solver": RHEL},
    workflows={Mode.MIDDLETIER: [EVERY_SOLVER]},
)
FLASK = {"package_name": "flask", "index_url": PYPI}
LEGACY = "https://pypi.python.org/simple/"
VERSIONS = ["2.0.2", "2.0.1", "2.0.0rc1", "1.1.4"]


def harness_with_versions(faults: FaultInjector | None = None, **variables: str) -> AgentHarness:
    """Return a harness whose index lists four versions of flask."""
    harness = AgentHarness(faults, **variables)
    harness.index.listed[PYPI, "flask"] = list(VERSIONS)
    return harness


def scheduled(harness: AgentHarness) -> list[tuple[str, str]]:
    """Return version and solver of each scheduled workflow, in the order of scheduling."""
    return [
        (
            workflow.parameters["THOTH_SOLVER_PACKAGES"].removeprefix("flask==="),
            workflow.parameters["THOTH_SOLVER_NAME"],
        )
        for workflow in harness.workflows
    ]


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


@pytest.mark.parametrize("version", [None, "", "*"])
async def test_without_a_version_all_listed_versions_are_solved_latest_first(version: str | None) -> None:
    """An adviser most likely recommends the latest version, so it must not wait for older ones."""
    harness = harness_with_versions()

    assert await harness.handle(BASE_NAME, {**FLASK, "package_version": version}) is None

    versions = [version for version, _ in scheduled(harness)]
    assert versions == [version for version in VERSIONS for _ in SOLVERS]


async def test_the_missing_solvers_are_determined_for_each_version() -> None:
    """One version is solved by all solvers, one by one solver, and two by none."""
    harness = harness_with_versions()
    harness.graph.solved |= {("flask", "2.0.2", PYPI, solver) for solver in SOLVERS}
    harness.graph.solved.add(("flask", "2.0.1", PYPI, UBI))

    assert await harness.handle(BASE_NAME, FLASK) is None

    assert scheduled(harness)[:2] == [("2.0.1", RHEL), ("2.0.1", FEDORA)]
    assert len(scheduled(harness)) == 2 + 2 * len(SOLVERS)


@pytest.mark.parametrize(
    ("specifier", "version"),
    [("==2.26.0", "2.26.0"), ("=== 2.26.0", "2.26.0"), (" == 1!2.0+local ", "1!2.0+local"), ("2.26", "2.26")],
)
async def test_a_pinned_version_needs_no_index(specifier: str, version: str) -> None:
    """Advisers send the specifier of a Pipfile; the version that it pins may be missing on the index by now."""
    harness = harness_with_versions()

    assert await harness.handle(BASE_NAME, {**FLASK, "package_version": specifier}) is None

    assert scheduled(harness) == [(version, solver) for solver in SOLVERS]


@pytest.mark.parametrize(
    ("specifier", "versions"),
    [
        (">=2,<2.0.2", ["2.0.1"]),
        ("~=2.0.0", ["2.0.2", "2.0.1"]),
        ("!=2.0.1", ["2.0.2", "1.1.4"]),
        ("==2.*", ["2.0.2", "2.0.1"]),
        (">=2.0.0rc1,<2.0.1", ["2.0.0rc1"]),
        ("<1", []),
    ],
)
async def test_a_specifier_selects_versions_of_the_index_latest_first(specifier: str, versions: list[str]) -> None:
    """Pre-releases are left out unless the specifier names one, as pip does."""
    harness = harness_with_versions()

    assert await harness.handle(BASE_NAME, {**FLASK, "package_version": specifier}) is None

    assert scheduled(harness) == [(version, solver) for version in versions for solver in SOLVERS]


@pytest.mark.parametrize(
    "specifier",
    [
        "latest",
        "=2.0",
        "^2.0",
        "2.*",
        ">=2,*",
        "==2.0; python_version > '3'",
        ",",
        ">=",
        "===soon",
        pytest.param("1" * 5000, id="long"),
    ],
)
async def test_nonsense_in_the_version_is_refused_by_field_name(specifier: str) -> None:
    """No workflow gets a version that does not exist."""
    harness = AgentHarness()

    failure = await harness.handle(BASE_NAME, {**FLASK, "package_version": specifier}, attempts=5)

    assert failure is not None
    assert isinstance(failure.error, MalformedMessageError)
    assert (failure.error.field, harness.faults.calls) == ("package_version", 0)


@pytest.mark.parametrize("spelling", ["https://pypi.org/simple/", "HTTPS://PyPI.org:443/simple", LEGACY])
@pytest.mark.parametrize("registered", [PYPI, f"{PYPI}/"])
async def test_workflows_get_the_index_as_it_is_registered(spelling: str, registered: str) -> None:
    """Producers spell URLs in other ways than the graph; the index is asked by the registered URL as well."""
    harness = AgentHarness()
    harness.graph.indexes = {registered: True}
    harness.index.listed = {(registered, "flask"): ["2.0.1"]}

    assert await harness.handle(BASE_NAME, {**FLASK, "index_url": spelling}) is None

    assert {parameters["THOTH_SOLVER_INDEXES"] for parameters in harness.parameters("solver")} == {registered}


async def test_a_package_that_the_index_does_not_have_leaves_nothing_to_do() -> None:
    """A user's typo must not halt the topic."""
    harness = AgentHarness()

    assert await harness.handle(BASE_NAME, {**FLASK, "package_name": "flaks"}) is None

    assert harness.workflows == []


async def test_a_solver_that_is_not_installed_fails_permanently() -> None:
    """The cluster would accept a workflow that can't start."""
    harness = AgentHarness()
    harness.graph.solved.add(("flask", "2.0.1", PYPI, FEDORA))
    fields = {**FLASK, "package_version": "2.0.1", "solver": "solver-rhel-7-py36"}

    failure = await harness.handle(BASE_NAME, fields, attempts=5)

    assert failure is not None
    assert isinstance(failure.error, PermanentError)
    assert str(failure.error) == "field 'solver': no solver 'solver-rhel-7-py36' is installed"


async def test_an_index_that_is_not_registered_fails_permanently() -> None:
    """No retry registers it; neither the index nor the cluster is called."""
    harness = AgentHarness()

    failure = await harness.handle(BASE_NAME, {**FLASK, "index_url": "https://example.com/simple"}, attempts=5)

    assert failure is not None
    assert isinstance(failure.error, PermanentError)
    assert str(failure.error) == "field 'index_url': no index 'https://example.com/simple' is registered in the graph"
    assert (failure.attempts, harness.faults.calls) == (1, 1)


async def test_a_package_of_a_disabled_index_is_solved() -> None:
    """Only dependencies are not looked up on a disabled index."""
    harness = AgentHarness()
    harness.graph.indexes[PYPI] = False

    assert await harness.handle(BASE_NAME, {**FLASK, "package_version": "2.0.1"}) is None

    assert len(harness.workflows) == len(SOLVERS)
    assert PYPI not in harness.parameters("solver")[0]["THOTH_SOLVER_DEPENDENCY_INDEXES"]


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
