# SPDX-License-Identifier: GPL-3.0-or-later
"""Which versions of an unresolved package are solved, and on which index they are looked up."""

import pytest

from investigator.agent import PermanentError
from investigator.agent.message import MalformedMessageError
from tests.agents.unresolved_flask import BASE_NAME, FLASK, VERSIONS, harness_with_versions, scheduled
from tests.support.agent_harness import PYPI, SOLVERS, AgentHarness

LEGACY = "https://pypi.python.org/simple/"


@pytest.mark.parametrize("version", [None, "", "*"])
async def test_without_a_version_all_listed_versions_are_solved_latest_first(version: str | None) -> None:
    """An adviser most likely recommends the latest version, so it must not wait for older ones."""
    harness = harness_with_versions()

    assert await harness.handle(BASE_NAME, {**FLASK, "package_version": version}) is None

    versions = [version for version, _ in scheduled(harness)]
    assert versions == [version for version in VERSIONS for _ in SOLVERS]


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
