# SPDX-License-Identifier: GPL-3.0-or-later
"""The scenarios in which the graph grows: knowledge increase, and self-learning on errors."""

from sandbox.play import messages
from sandbox.play.context import ScenarioContext
from sandbox.play.expectations import Expected, Flag
from sandbox.play.fixtures import FEDORA, PYPI, PYTORCH, RHEL, Release, artifacts_at_first, artifacts_now
from sandbox.play.scenario import (
    ADMINISTRATOR,
    ATOMICWRITES,
    CLICK,
    CTX,
    HASHES,
    NUMPY,
    OLD_TORCH,
    PACKAGE_GONE,
    RELEASED,
    REQUESTS,
    RUN_URL,
    SECURITY,
    SOLVED,
    SOURCES,
    TENSORFLOW,
    TORCH,
    UNANALYZED,
    UNRESOLVED,
    UNREVSOLVED,
    VERSION_GONE,
    Scenario,
)

__all__ = ["KNOWLEDGE_INCREASE", "SELF_LEARNING", "store_first_knowledge"]

_HASHES_AT_FIRST = artifacts_at_first(NUMPY.name, NUMPY.version)
_HASHES_NOW = artifacts_now(NUMPY.name, NUMPY.version)
_HASHES_GONE = [sha256 for sha256 in _HASHES_AT_FIRST if sha256 not in _HASHES_NOW]
_HASHES_NEW = [sha256 for sha256 in _HASHES_NOW if sha256 not in _HASHES_AT_FIRST]


async def store_first_knowledge(world: ScenarioContext) -> None:
    """Register the indexes and store what was learnt before the story begins."""
    for index in (PYPI, PYTORCH):
        world.knowledge.rows.index(world.index_url(index))
    for release in (NUMPY, REQUESTS, TENSORFLOW, OLD_TORCH, ATOMICWRITES, *CTX):
        for solver in (RHEL, FEDORA):
            await _store_solved(world, release, solver)
    await _store_solved(world, TORCH, FEDORA)
    for release in (NUMPY, REQUESTS, OLD_TORCH, *CTX):
        await world.knowledge.store_analysis(world.where(release), f"security-indicator-{release.name}")


async def _store_solved(world: ScenarioContext, release: Release, solver: str) -> None:
    hashes = artifacts_at_first(release.name, release.version)
    document = f"{solver}-{release.name}-{release.version}"
    await world.knowledge.store_solved(world.where(release), solver, document, hashes)


async def _learn(world: ScenarioContext) -> None:
    await world.act(1, messages.package_released(world.where(CLICK)))
    await world.act(1, messages.unresolved_package("graph-refresh", "torch", world.index_url(PYTORCH), solver=RHEL))
    await world.act(1, messages.unrevsolved_package(NUMPY.name, NUMPY.version))
    await world.act(1, messages.hash_mismatch(world.where(NUMPY), _HASHES_GONE, _HASHES_NEW))


def _expected_of_learning(world: ScenarioContext) -> Expected:
    return Expected(
        # Solved by both solvers: click and numpy; torch by the one that was asked for. The projects that are told are
        # those for RHEL that use click (once) and numpy (for the new hashes, and once it is solved again).
        messages={RELEASED: 1, UNRESOLVED: 1, UNREVSOLVED: 1, HASHES: 1, SOLVED: 5, SOURCES: 1, RUN_URL: 3},
        # Of the two versions of torch one was solved by that solver already; numpy was analysed already.
        workflows={
            (RELEASED, "solver"): 2,
            (RELEASED, "revsolver"): 1,
            (UNRESOLVED, "solver"): 1,
            (UNREVSOLVED, "revsolver"): 1,
            (HASHES, "solver"): 2,
            (HASHES, ADMINISTRATOR): 1,
            (SOLVED, ADMINISTRATOR): 5,
            (SOLVED, SECURITY): 2,
            (RUN_URL, "kebechet-run-url"): 3,
        },
        flags=(
            Flag(SOURCES, world.where(TORCH), "without source distribution"),
            *(Flag(HASHES, world.where(NUMPY), "hash gone", sha256) for sha256 in _HASHES_GONE),
        ),
    )


async def _not_learnt(world: ScenarioContext) -> list[str]:
    unsolved = [
        f"{release} is not solved by {solver}"
        for release, solver in ((CLICK, RHEL), (CLICK, FEDORA), (TORCH, RHEL))
        if not await world.knowledge.is_solved(release.name, release.version, world.index_url(release.index), solver)
    ]
    analysed = await world.knowledge.is_analysed(world.where(CLICK))
    return unsolved if analysed else [*unsolved, f"{CLICK} is not analysed"]


async def _refresh(world: ScenarioContext) -> None:
    for where in await world.knowledge.unanalysed():
        await world.act(2, messages.si_unanalyzed_package(where))
    await world.act(2, messages.missing_package("ctx", world.index_url()))


def _expected_of_errors(world: ScenarioContext) -> Expected:
    return Expected(
        # No project uses what is gone.
        messages={UNANALYZED: 2, SOURCES: 1, VERSION_GONE: 1, PACKAGE_GONE: 1},
        workflows={(UNANALYZED, SECURITY): 2, (VERSION_GONE, ADMINISTRATOR): 1, (PACKAGE_GONE, ADMINISTRATOR): 1},
        flags=(
            Flag(SOURCES, world.where(TENSORFLOW), "without source distribution"),
            Flag(VERSION_GONE, world.where(ATOMICWRITES), "missing"),
            *(Flag(PACKAGE_GONE, world.where(release), "missing") for release in CTX),
        ),
    )


async def _left_to_analyse(world: ScenarioContext) -> list[str]:
    return [f"graph-refresh would ask for {where} again" for where in await world.knowledge.unanalysed()]


KNOWLEDGE_INCREASE = Scenario(
    number=1,
    title="Knowledge increase",
    closes="what was new, lacking or changed is solved, and analysed where it can be",
    begin=_learn,
    expected=_expected_of_learning,
    still_open=_not_learnt,
)

SELF_LEARNING = Scenario(
    number=2,
    title="Self-learning on errors",
    closes="graph-refresh looks again and finds nothing that could be analysed but is not",
    begin=_refresh,
    expected=_expected_of_errors,
    still_open=_left_to_analyse,
)
