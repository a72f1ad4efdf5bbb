# SPDX-License-Identifier: GPL-3.0-or-later
"""Steps that several agents share: ways to learn about a package, and telling Kebechet's administrator about it.

Each obeys its switch in the settings: switched off, it asks nobody and does nothing.
"""

import asyncio
from collections.abc import Coroutine, Iterable
from dataclasses import dataclass

from investigator.agent.context import Work
from investigator.delivery.errors import PermanentError

__all__ = [
    "Release",
    "gather_all",
    "learn_by_revsolver",
    "learn_by_solvers",
    "learn_security_indicators",
    "missing_solvers",
    "notify_kebechet",
]


@dataclass(frozen=True)
class Release:
    """A version of a package on an index."""

    name: str
    version: str
    index_url: str


async def gather_all(*steps: Coroutine[object, object, None]) -> None:
    """Run steps whose order does not matter side by side, and wait for every one of them.

    None is left running behind the handler's back, where the next attempt would meet it. Of several failures one that
    another attempt may mend is raised before a permanent one, since that attempt still brings the other steps forward.
    """
    results = await asyncio.gather(*steps, return_exceptions=True)
    failures = [result for result in results if isinstance(result, BaseException)]
    if failures:
        raise min(failures, key=lambda failure: isinstance(failure, PermanentError))


async def learn_by_solvers(
    work: Work,
    release: Release,
    *,
    solvers: Iterable[str] | None = None,
    dependency_indexes: list[str] | None = None,
) -> None:
    """Schedule a solver workflow for every solver, each of which finds the dependencies in one environment.

    Args:
        work: the message in hand.
        release: what to learn about.
        solvers: the solvers to schedule instead of all that are installed.
        dependency_indexes: where dependencies are looked up; None leaves that to the solver.
    """
    if not work.settings.thoth_investigator_schedule_solver:
        return
    names = await work.solver_names() if solvers is None else solvers
    packages = f"{release.name}==={release.version}"
    await gather_all(
        *(
            work.schedule(
                "solver",
                step=f"{solver} {packages}",
                solver=solver,
                packages=packages,
                indexes=[release.index_url],
                dependency_indexes=dependency_indexes,
                transitive=False,
                debug=work.settings.thoth_log_solver == "DEBUG",
            )
            for solver in names
        )
    )


async def missing_solvers(work: Work, release: Release, *, only: str | None = None) -> list[str]:
    """Tell which solvers have still to solve a version of a package.

    Args:
        work: the message in hand.
        release: the version.
        only: the one solver to look at; but a version that the graph does not know at all is one for every solver.

    Returns:
        The names of the solvers, in the order in which they are installed.
    """
    name, version, index_url = release.name, release.version, release.index_url
    # Asked once: that one solver has done its part must not keep the next attempt from scheduling the others.
    known = await work.once(f"{release} is known", lambda: work.graph.package_version_exists(name, version, index_url))
    if not known:
        return await work.solver_names()
    asked = [only] if only else await work.solver_names()
    return [solver for solver in asked if not await work.graph.is_solved(name, version, index_url, solver)]


async def learn_by_revsolver(work: Work, name: str, version: str) -> None:
    """Schedule the reverse solver, which finds what depends on this version of the package."""
    if work.settings.thoth_investigator_schedule_revsolver:
        await work.schedule(
            "revsolver",
            package_name=name,
            package_version=version,
            debug=work.settings.thoth_log_revsolver == "DEBUG",
        )


async def learn_security_indicators(work: Work, release: Release) -> None:
    """Schedule the analysis of security indicators, unless the graph holds its result already."""
    if not work.settings.thoth_investigator_schedule_security:
        return
    name, version, index_url = release.name, release.version, release.index_url
    if await work.graph.si_aggregated(name, version, index_url):
        return
    await work.schedule(
        "security-indicator",
        python_package_name=name,
        python_package_version=version,
        python_package_index=index_url,
        aggregation_function="process_data",
    )


async def notify_kebechet(
    work: Work, *, name: str, index_url: str, version: str | None = None, solver: str | None = None
) -> None:
    """Schedule Kebechet's administrator, which runs Kebechet on the projects that the news concerns.

    Args:
        work: the message in hand; its base name tells the administrator what happened.
        name: the package's name.
        index_url: the index that it lies on.
        version: its version; None where all versions are concerned.
        solver: the solver that has just solved it, if that is the news.
    """
    if not work.settings.thoth_investigator_kebechet_administrator:
        return
    await work.schedule(
        "kebechet-administrator",
        message_info={
            "PACKAGE_NAME": name,
            "PACKAGE_VERSION": version,
            "PACKAGE_INDEX": index_url,
            "SOLVER_NAME": solver,
        },
        message_type=work.base_name,
    )
