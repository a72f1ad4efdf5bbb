# SPDX-License-Identifier: GPL-3.0-or-later
"""Steps that several agents share: scheduling solvers, analyses of packages, and Kebechet's administrator.

Each step has a setting that disables it. A disabled step calls no service.
"""

import asyncio
import logging
from collections.abc import Coroutine, Iterable
from dataclasses import dataclass
from functools import partial

from investigator.agent.context import Work
from investigator.agent.package_fields import pinned_version, selects_every_version
from investigator.delivery.errors import PermanentError

__all__ = [
    "Release",
    "gather_all",
    "learn_by_revsolver",
    "learn_by_solvers",
    "learn_security_indicators",
    "missing_solvers",
    "notify_kebechet",
    "registered_index_url",
    "selected_versions",
]

_LOGGER = logging.getLogger(__name__)


@dataclass(frozen=True)
class Release:
    """A package version on an index."""

    name: str
    version: str
    index_url: str


async def registered_index_url(work: Work, index_url: str) -> str:
    """Return the URL of an index as the graph spells it; workflows must not add the same index in another spelling."""
    return await work.once(f"spelling of {index_url}", lambda: work.graph.registered_spelling(index_url))


async def selected_versions(work: Work, index_url: str, name: str, specifier: str | None) -> list[str]:
    """Return the versions that a specifier selects, latest first, and no more than one message may have workflows for.

    A pinned version needs no request. Another attempt of the message returns the same versions.

    Args:
        work: the handling of the message.
        index_url: the index that lists the versions, as the graph spells it.
        name: the name of the package.
        specifier: a version, ``==2.26.0``, a range such as ``>=2.25,<3``; None, empty or ``*`` for every version.

    Raises:
        PermanentError, TemporaryError: the index could not be asked.
    """
    wanted = "" if specifier is None or selects_every_version(specifier) else specifier
    if wanted and (pinned := pinned_version(wanted)):
        return [pinned]
    return await work.once("versions", partial(_listed_versions, work, index_url, name, wanted))


async def _listed_versions(work: Work, index_url: str, name: str, specifier: str) -> list[str]:
    return _latest_versions(work, name, await work.index.versions(index_url, name, specifier))


def _latest_versions(work: Work, name: str, versions: list[str]) -> list[str]:
    """Return as many of the versions as one message may have workflows for; log and count the others.

    Args:
        work: the handling of the message.
        name: the name of the package, for the log.
        versions: the versions that the message selects, latest first.
    """
    limit = work.settings.thoth_investigator_max_versions
    if omitted := versions[limit:]:
        _LOGGER.warning(
            "Message selects too many versions; older ones get no solvers package=%s limit=%d omitted=%d from=%s to=%s",
            *(name, limit, len(omitted), omitted[0], omitted[-1]),
        )
        work.metrics.omitted_versions.labels(work.base_name).inc(len(omitted))
    return versions[:limit]


async def gather_all(*steps: Coroutine[object, object, None]) -> None:
    """Run steps concurrently, and wait until every one of them has ended.

    No step is still running when the next attempt starts. If several steps fail, a retryable error is raised before a
    permanent one, so that the remaining steps get another attempt.
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
    """Schedule solver workflows for a package version. Each solver finds the dependencies in one environment.

    Args:
        work: the handling of the message.
        release: the package version.
        solvers: the names of the solvers; None for all installed ones.
        dependency_indexes: the URLs of the indexes to look up dependencies on; None leaves them to the solver.
    """
    if not work.settings.thoth_investigator_schedule_solver:
        return
    names = await work.solver_names() if solvers is None else solvers
    index_url = await registered_index_url(work, release.index_url)
    packages = f"{release.name}==={release.version}"
    await gather_all(
        *(
            work.schedule(
                "solver",
                step=f"{solver} {packages}",
                solver=solver,
                packages=packages,
                indexes=[index_url],
                dependency_indexes=dependency_indexes,
                transitive=False,
                debug=work.settings.thoth_log_solver == "DEBUG",
            )
            for solver in names
        )
    )


async def missing_solvers(work: Work, release: Release, *, only: str | None = None) -> list[str]:
    """Return the solvers that have not solved a package version yet.

    Args:
        work: the handling of the message.
        release: the package version.
        only: the only solver to check. It is ignored for a version that no solver has solved.

    Returns:
        The names of the solvers, in the order of the installed ones.

    Raises:
        PermanentError: `only` is no installed solver; it is the field ``solver`` of a message.
    """
    name, version, index_url = release.name, release.version, release.index_url
    # Once: if a scheduled solver finishes before the next attempt, that attempt must still schedule the other solvers.
    known = await work.once(f"{release} is known", lambda: work.graph.package_version_exists(name, version, index_url))
    installed = await work.solver_names()
    if only and only not in installed:
        raise PermanentError(f"field 'solver': no solver {only!r} is installed")
    if not known:
        return installed
    candidates = [only] if only else installed
    return [solver for solver in candidates if not await work.graph.is_solved(name, version, index_url, solver)]


async def learn_by_revsolver(work: Work, name: str, version: str) -> None:
    """Schedule the reverse solver, which finds the packages that depend on the package version."""
    if work.settings.thoth_investigator_schedule_revsolver:
        await work.schedule(
            "revsolver",
            package_name=name,
            package_version=version,
            debug=work.settings.thoth_log_revsolver == "DEBUG",
        )


async def learn_security_indicators(work: Work, release: Release) -> None:
    """Schedule the analysis of a package version's security indicators, unless the graph holds its result."""
    if not work.settings.thoth_investigator_schedule_security:
        return
    name, version, index_url = release.name, release.version, release.index_url
    if await work.graph.si_aggregated(name, version, index_url):
        return
    await work.schedule(
        "security-indicator",
        python_package_name=name,
        python_package_version=version,
        python_package_index=await registered_index_url(work, index_url),
        aggregation_function="process_data",
    )


async def notify_kebechet(
    work: Work, *, name: str, index_url: str, version: str | None = None, solver: str | None = None
) -> None:
    """Schedule Kebechet's administrator, which runs Kebechet for the projects that use the package.

    Args:
        work: the handling of the message, whose base name the administrator gets.
        name: the name of the package.
        index_url: the URL of its index.
        version: its version; None for all versions.
        solver: the solver that has solved the version, for a message about that.
    """
    if not work.settings.thoth_investigator_kebechet_administrator:
        return
    await work.schedule(
        "kebechet-administrator",
        message_info={
            "PACKAGE_NAME": name,
            "PACKAGE_VERSION": version,
            "PACKAGE_INDEX": await registered_index_url(work, index_url),
            "SOLVER_NAME": solver,
        },
        message_type=work.base_name,
    )
