# SPDX-License-Identifier: GPL-3.0-or-later
"""The story's graph on a real database."""

import pytest

from sandbox.play.fixtures import FEDORA, RHEL
from sandbox.play.knowledge import Knowledge
from sandbox.play.messages import Where
from sandbox.play.requests import AdviceRequest, Need
from sandbox.postgres import Database
from tests.sandbox.play.fake_workers import URL

pytestmark = pytest.mark.e2e

CLICK = Where("click", "8.1.3", URL)
FLASK = AdviceRequest(RHEL, (Need("flask", None, URL),))


@pytest.fixture
def knowledge(database: Database) -> Knowledge:
    """A graph that knows nothing."""
    return Knowledge(database)


async def test_what_is_solved_is_known_by_version_and_solver(knowledge: Knowledge) -> None:
    """Guarantee: a version counts as solved for the solver that solved it, and so does "any version"."""
    await knowledge.store_solved(CLICK, RHEL, "document", ["a"])
    assert await knowledge.is_solved("click", "8.1.3", URL, RHEL)
    assert await knowledge.is_solved("click", None, URL, RHEL)
    assert not await knowledge.is_solved("click", "8.0.4", URL, RHEL)
    assert not await knowledge.is_solved("click", None, URL, FEDORA)
    assert knowledge.rows.hashes("click", "8.1.3", URL) == {"a": True}


async def test_an_analysis_ends_the_need_for_one(knowledge: Knowledge) -> None:
    """Guarantee: a solved version is to be analysed until it was."""
    await knowledge.store_solved(CLICK, RHEL, "document", [])
    assert (await knowledge.unanalysed(), await knowledge.is_analysed(CLICK)) == ([CLICK], False)
    await knowledge.store_analysis(CLICK, "analysis")
    assert (await knowledge.unanalysed(), await knowledge.is_analysed(CLICK)) == ([], True)


@pytest.mark.parametrize("flag", ["is_missing = true", "provides_source_distro = false"])
async def test_what_cannot_be_analysed_is_not_to_be(knowledge: Knowledge, database: Database, flag: str) -> None:
    """Guarantee: the flags that investigator sets keep graph-refresh from asking again."""
    await knowledge.store_solved(CLICK, RHEL, "document", [])
    database.execute(f"UPDATE python_package_version SET {flag}")  # noqa: S608 - written above
    assert await knowledge.unanalysed() == []


async def test_an_advice_waits_until_it_is_given(knowledge: Knowledge) -> None:
    """Guarantee: a run that lacks packages waits; the run that takes its place ends the wait."""
    await knowledge.store_advice("adviser-1", FLASK, ["flask"], None)
    assert await knowledge.waiting_advices() == ["adviser-1"]
    await knowledge.store_advice("adviser-2", FLASK, [], "adviser-1")
    assert await knowledge.waiting_advices() == []


async def test_an_advice_without_a_lack_does_not_wait(knowledge: Knowledge) -> None:
    """Guarantee: only a lack makes an advice wait."""
    await knowledge.store_advice("adviser-1", FLASK, [], None)
    assert await knowledge.waiting_advices() == []


async def test_solved_versions_of_dependents_are_found(knowledge: Knowledge) -> None:
    """Guarantee: a reverse solver stores a dependency for each solved version of the packages that depend on it."""
    assert await knowledge.store_dependents("click", "8.1.3", ["flask"]) == 0
    for version in ("2.0.3", "2.1.3"):
        await knowledge.store_solved(Where("flask", version, URL), RHEL, f"document-{version}", [])
    assert await knowledge.store_dependents("click", "8.1.3", ["flask"]) == 2
