# SPDX-License-Identifier: GPL-3.0-or-later
"""The client of the knowledge graph, on a real database."""

import pytest

from sandbox.play.fixtures import FEDORA, RHEL
from sandbox.play.knowledge import Knowledge
from sandbox.play.messages import PackageVersion
from sandbox.play.requests import AdviceRequest, PackageRequirement
from sandbox.postgres import Database
from tests.sandbox.play.fake_knowledge import URL

CLICK = PackageVersion("click", "8.1.3", URL)
FLASK = AdviceRequest(RHEL, (PackageRequirement("flask", None, URL),))


@pytest.fixture
def knowledge(database: Database) -> Knowledge:
    """An empty graph."""
    return Knowledge(database)


async def test_a_version_is_solved_for_the_solver_that_solved_it(knowledge: Knowledge) -> None:
    """For that solver, the requirement of any version is met too."""
    await knowledge.store_solved(CLICK, RHEL, "document", ["a"])
    assert await knowledge.is_solved("click", "8.1.3", URL, RHEL)
    assert await knowledge.is_solved("click", None, URL, RHEL)
    assert not await knowledge.is_solved("click", "8.0.4", URL, RHEL)
    assert not await knowledge.is_solved("click", None, URL, FEDORA)
    assert knowledge.graph_seed.hashes("click", "8.1.3", URL) == {"a": True}


async def test_a_solved_version_is_unanalysed_until_its_analysis_is_stored(knowledge: Knowledge) -> None:
    """A version that is not solved does not count as unanalysed either."""
    await knowledge.store_solved(CLICK, RHEL, "document", [])
    assert (await knowledge.unanalysed(), await knowledge.is_analysed(CLICK)) == ([CLICK], False)
    await knowledge.store_analysis(CLICK, "analysis")
    assert (await knowledge.unanalysed(), await knowledge.is_analysed(CLICK)) == ([], True)


@pytest.mark.parametrize("flag", ["is_missing = true", "provides_source_distro = false"])
async def test_a_version_that_cannot_be_analysed_is_not_unanalysed(
    knowledge: Knowledge, database: Database, flag: str
) -> None:
    """The flags that investigator sets keep graph-refresh from requesting an analysis again."""
    await knowledge.store_solved(CLICK, RHEL, "document", [])
    database.execute(f"UPDATE python_package_version SET {flag}")  # noqa: S608 - a constant of this test
    assert await knowledge.unanalysed() == []


async def test_an_adviser_run_waits_until_its_re_run_lacks_nothing(knowledge: Knowledge) -> None:
    """The re-run names the run that it repeats."""
    await knowledge.store_advice("adviser-1", FLASK, ["flask"], None)
    assert await knowledge.waiting_adviser_runs() == ["adviser-1"]
    await knowledge.store_advice("adviser-2", FLASK, [], "adviser-1")
    assert await knowledge.waiting_adviser_runs() == []


async def test_an_adviser_run_that_lacks_nothing_does_not_wait(knowledge: Knowledge) -> None:
    """Only a lacking package makes a run wait."""
    await knowledge.store_advice("adviser-1", FLASK, [], None)
    assert await knowledge.waiting_adviser_runs() == []


async def test_a_dependency_is_stored_for_each_solved_version_of_a_dependent(knowledge: Knowledge) -> None:
    """The result is their number, which is 0 before a version of the dependent is solved."""
    assert await knowledge.store_dependents("click", "8.1.3", ["flask"]) == 0
    for version in ("2.0.3", "2.1.3"):
        await knowledge.store_solved(PackageVersion("flask", version, URL), RHEL, f"document-{version}", [])
    assert await knowledge.store_dependents("click", "8.1.3", ["flask"]) == 2
