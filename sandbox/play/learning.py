# SPDX-License-Identifier: GPL-3.0-or-later
"""The scenarios in which the knowledge graph grows: knowledge increase, and self-learning on errors."""

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

__all__ = ["KNOWLEDGE_INCREASE", "SELF_LEARNING", "store_initial_knowledge"]

_ORIGINAL_HASHES = original_hashes(NUMPY.name, NUMPY.version)
_CURRENT_HASHES = current_hashes(NUMPY.name, NUMPY.version)
_REMOVED_HASHES = [sha256 for sha256 in _ORIGINAL_HASHES if sha256 not in _CURRENT_HASHES]
_ADDED_HASHES = [sha256 for sha256 in _CURRENT_HASHES if sha256 not in _ORIGINAL_HASHES]


async def store_initial_knowledge(context: ScenarioContext) -> None:
    """Register the indexes, and store the results of the solvers and analyses that ran before the first scenario."""
    for index in (PYPI, PYTORCH):
        context.knowledge.graph_seed.index(context.index_url(index))
    for release in (NUMPY, REQUESTS, TENSORFLOW, OLD_TORCH, ATOMICWRITES, *CTX):
        for solver in (RHEL, FEDORA):
            await _store_solved(context, release, solver)
    await _store_solved(context, TORCH, FEDORA)
    for release in (NUMPY, REQUESTS, OLD_TORCH, *CTX):
        await context.knowledge.store_analysis(context.package_version(release), f"security-indicator-{release.name}")


async def _store_solved(context: ScenarioContext, release: Release, solver: str) -> None:
    hashes = original_hashes(release.name, release.version)
    document = f"{solver}-{release.name}-{release.version}"
    await context.knowledge.store_solved(context.package_version(release), solver, document, hashes)


async def _send_knowledge_messages(context: ScenarioContext) -> None:
    for message in (
        messages.package_released(context.package_version(CLICK)),
        messages.unresolved_package("graph-refresh", TORCH.name, context.index_url(PYTORCH), solver=RHEL),
        messages.unrevsolved_package(NUMPY.name, NUMPY.version),
        messages.hash_mismatch(context.package_version(NUMPY), _REMOVED_HASHES, _ADDED_HASHES),
    ):
        await context.send_first(1, message)


def _expected_knowledge(context: ScenarioContext) -> Expected:
    return Expected(
        # Both solvers solve click and numpy; only the requested one solves torch. Kebechet runs on two projects for
        # RHEL: once on the project with click, twice on the one with numpy (for the hashes, and after the solver run).
        messages={
            PACKAGE_RELEASED: 1,
            UNRESOLVED_PACKAGE: 1,
            UNREVSOLVED_PACKAGE: 1,
            HASH_MISMATCH: 1,
            SOLVED_PACKAGE: 5,
            PROVIDES_SOURCE_DISTRO: 1,
            KEBECHET_RUN_URL_TRIGGER: 3,
        },
        # The requested solver has already solved one of the two versions of torch. The graph has an analysis of numpy.
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
            Flag(PROVIDES_SOURCE_DISTRO, context.package_version(TORCH), "without source distribution"),
            *(Flag(HASH_MISMATCH, context.package_version(NUMPY), "hash gone", sha256) for sha256 in _REMOVED_HASHES),
        ),
    )


async def _missing_knowledge(context: ScenarioContext) -> list[str]:
    unsolved = [
        f"{release} is not solved by {solver}"
        for release, solver in ((CLICK, RHEL), (CLICK, FEDORA), (TORCH, RHEL))
        if not await context.knowledge.is_solved(
            release.name, release.version, context.index_url(release.index), solver
        )
    ]
    analysed = await context.knowledge.is_analysed(context.package_version(CLICK))
    return unsolved if analysed else [*unsolved, f"{CLICK} has no security analysis"]


async def _send_error_messages(context: ScenarioContext) -> None:
    for package in await context.knowledge.unanalysed():
        await context.send_first(2, messages.si_unanalyzed_package(package))
    await context.send_first(2, messages.missing_package("ctx", context.index_url()))


def _expected_learning(context: ScenarioContext) -> Expected:
    return Expected(
        # No project uses the removed packages, so Kebechet does not run.
        messages={SI_UNANALYZED_PACKAGE: 2, PROVIDES_SOURCE_DISTRO: 1, MISSING_PACKAGE_VERSION: 1, MISSING_PACKAGE: 1},
        workflows={
            (SI_UNANALYZED_PACKAGE, SECURITY_INDICATOR): 2,
            (MISSING_PACKAGE_VERSION, KEBECHET_ADMINISTRATOR): 1,
            (MISSING_PACKAGE, KEBECHET_ADMINISTRATOR): 1,
        },
        flags=(
            Flag(PROVIDES_SOURCE_DISTRO, context.package_version(TENSORFLOW), "without source distribution"),
            Flag(MISSING_PACKAGE_VERSION, context.package_version(ATOMICWRITES), "missing"),
            *(Flag(MISSING_PACKAGE, context.package_version(release), "missing") for release in CTX),
        ),
    )


async def _missing_analyses(context: ScenarioContext) -> list[str]:
    return [f"{package} has no security analysis" for package in await context.knowledge.unanalysed()]


KNOWLEDGE_INCREASE = Scenario(
    number=1,
    title="Knowledge increase",
    outcome="every new, unknown or changed package version is solved and, where possible, analysed",
    start=_send_knowledge_messages,
    expected=_expected_knowledge,
    open_items=_missing_knowledge,
)

SELF_LEARNING = Scenario(
    number=2,
    title="Self-learning on errors",
    outcome="graph-refresh finds no further package version to analyse",
    start=_send_error_messages,
    expected=_expected_learning,
    open_items=_missing_analyses,
)
