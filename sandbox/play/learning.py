# SPDX-License-Identifier: GPL-3.0-or-later
"""The scenarios in which the graph grows: knowledge increase, and self-learning on errors."""

from sandbox.play import messages
from sandbox.play.context import ScenarioContext
from sandbox.play.expectations import Expected, Flag
from sandbox.play.fixtures import FEDORA, PYPI, PYTORCH, RHEL, Release, current_hashes, original_hashes
from sandbox.play.scenario import (
    ATOMICWRITES,
    CLICK,
    CTX,
    HASH_MISMATCH,
    KEBECHET_ADMINISTRATOR,
    KEBECHET_RUN_URL_TRIGGER,
    MISSING_PACKAGE,
    MISSING_PACKAGE_VERSION,
    NUMPY,
    OLD_TORCH,
    PACKAGE_RELEASED,
    PROVIDES_SOURCE_DISTRO,
    REQUESTS,
    SECURITY_INDICATOR,
    SI_UNANALYZED_PACKAGE,
    SOLVED_PACKAGE,
    TENSORFLOW,
    TORCH,
    UNRESOLVED_PACKAGE,
    UNREVSOLVED_PACKAGE,
    Scenario,
)

__all__ = ["KNOWLEDGE_INCREASE", "SELF_LEARNING", "store_first_knowledge"]

_HASHES_AT_FIRST = original_hashes(NUMPY.name, NUMPY.version)
_HASHES_NOW = current_hashes(NUMPY.name, NUMPY.version)
_HASHES_GONE = [sha256 for sha256 in _HASHES_AT_FIRST if sha256 not in _HASHES_NOW]
_HASHES_NEW = [sha256 for sha256 in _HASHES_NOW if sha256 not in _HASHES_AT_FIRST]


async def store_first_knowledge(context: ScenarioContext) -> None:
    """Register the indexes and store what was learnt before the story begins."""
    for index in (PYPI, PYTORCH):
        context.knowledge.rows.index(context.index_url(index))
    for release in (NUMPY, REQUESTS, TENSORFLOW, OLD_TORCH, ATOMICWRITES, *CTX):
        for solver in (RHEL, FEDORA):
            await _store_solved(context, release, solver)
    await _store_solved(context, TORCH, FEDORA)
    for release in (NUMPY, REQUESTS, OLD_TORCH, *CTX):
        await context.knowledge.store_analysis(context.where(release), f"security-indicator-{release.name}")


async def _store_solved(context: ScenarioContext, release: Release, solver: str) -> None:
    hashes = original_hashes(release.name, release.version)
    document = f"{solver}-{release.name}-{release.version}"
    await context.knowledge.store_solved(context.where(release), solver, document, hashes)


async def _learn(context: ScenarioContext) -> None:
    await context.act(1, messages.package_released(context.where(CLICK)))
    await context.act(1, messages.unresolved_package("graph-refresh", "torch", context.index_url(PYTORCH), solver=RHEL))
    await context.act(1, messages.unrevsolved_package(NUMPY.name, NUMPY.version))
    await context.act(1, messages.hash_mismatch(context.where(NUMPY), _HASHES_GONE, _HASHES_NEW))


def _expected_of_learning(context: ScenarioContext) -> Expected:
    return Expected(
        # Solved by both solvers: click and numpy; torch by the one that was asked for. The projects that are told are
        # those for RHEL that use click (once) and numpy (for the new hashes, and once it is solved again).
        messages={
            PACKAGE_RELEASED: 1,
            UNRESOLVED_PACKAGE: 1,
            UNREVSOLVED_PACKAGE: 1,
            HASH_MISMATCH: 1,
            SOLVED_PACKAGE: 5,
            PROVIDES_SOURCE_DISTRO: 1,
            KEBECHET_RUN_URL_TRIGGER: 3,
        },
        # Of the two versions of torch one was solved by that solver already; numpy was analysed already.
        workflows={
            (PACKAGE_RELEASED, "solver"): 2,
            (PACKAGE_RELEASED, "revsolver"): 1,
            (UNRESOLVED_PACKAGE, "solver"): 1,
            (UNREVSOLVED_PACKAGE, "revsolver"): 1,
            (HASH_MISMATCH, "solver"): 2,
            (HASH_MISMATCH, KEBECHET_ADMINISTRATOR): 1,
            (SOLVED_PACKAGE, KEBECHET_ADMINISTRATOR): 5,
            (SOLVED_PACKAGE, SECURITY_INDICATOR): 2,
            (KEBECHET_RUN_URL_TRIGGER, "kebechet-run-url"): 3,
        },
        flags=(
            Flag(PROVIDES_SOURCE_DISTRO, context.where(TORCH), "without source distribution"),
            *(Flag(HASH_MISMATCH, context.where(NUMPY), "hash gone", sha256) for sha256 in _HASHES_GONE),
        ),
    )


async def _not_learnt(context: ScenarioContext) -> list[str]:
    unsolved = [
        f"{release} is not solved by {solver}"
        for release, solver in ((CLICK, RHEL), (CLICK, FEDORA), (TORCH, RHEL))
        if not await context.knowledge.is_solved(
            release.name, release.version, context.index_url(release.index), solver
        )
    ]
    analysed = await context.knowledge.is_analysed(context.where(CLICK))
    return unsolved if analysed else [*unsolved, f"{CLICK} is not analysed"]


async def _refresh(context: ScenarioContext) -> None:
    for where in await context.knowledge.unanalysed():
        await context.act(2, messages.si_unanalyzed_package(where))
    await context.act(2, messages.missing_package("ctx", context.index_url()))


def _expected_of_errors(context: ScenarioContext) -> Expected:
    return Expected(
        # No project uses what is gone.
        messages={SI_UNANALYZED_PACKAGE: 2, PROVIDES_SOURCE_DISTRO: 1, MISSING_PACKAGE_VERSION: 1, MISSING_PACKAGE: 1},
        workflows={
            (SI_UNANALYZED_PACKAGE, SECURITY_INDICATOR): 2,
            (MISSING_PACKAGE_VERSION, KEBECHET_ADMINISTRATOR): 1,
            (MISSING_PACKAGE, KEBECHET_ADMINISTRATOR): 1,
        },
        flags=(
            Flag(PROVIDES_SOURCE_DISTRO, context.where(TENSORFLOW), "without source distribution"),
            Flag(MISSING_PACKAGE_VERSION, context.where(ATOMICWRITES), "missing"),
            *(Flag(MISSING_PACKAGE, context.where(release), "missing") for release in CTX),
        ),
    )


async def _left_to_analyse(context: ScenarioContext) -> list[str]:
    return [f"graph-refresh would ask for {where} again" for where in await context.knowledge.unanalysed()]


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
