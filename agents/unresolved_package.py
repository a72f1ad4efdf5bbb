# SPDX-License-Identifier: GPL-3.0-or-later
"""The knowledge graph does not hold the dependencies of a package, so an adviser cannot recommend it.

The adviser that needs them sends the message, or graph-refresh does. The worker schedules the solvers that have not
solved the package version yet. Without a version, or with ``*``, it does so for all versions on the index, latest
first, as an adviser most likely recommends the latest.
"""

from functools import partial

from investigator.agent import Message, Mode, PermanentError, Text, Work, agent
from investigator.agent.learning import Release, learn_by_solvers, missing_solvers


class UnresolvedPackage(Message, serializer="json"):
    """The package and its index, and optionally the version and the solver whose result the adviser needs."""

    package_name: Text
    index_url: Text
    package_version: str | None = None
    solver: str | None = None


@agent("thoth.investigator.unresolved-package", mode=Mode.MIDDLETIER)
async def solve(message: UnresolvedPackage, work: Work) -> None:
    """Schedule the solvers that have not solved the package. Its index must be registered in the graph."""
    if not work.settings.thoth_investigator_schedule_solver:
        return
    if message.index_url not in await work.graph.registered_index_urls():
        raise PermanentError(f"field 'index_url': no index {message.index_url!r} is registered in the graph")
    enabled = await work.graph.enabled_index_urls()
    for version in await work.once("versions", partial(_versions, message, work)):
        await work.once(f"version {version}", partial(_solve_version, message, work, version, enabled))


async def _versions(message: UnresolvedPackage, work: Work) -> list[str]:
    if message.package_version and message.package_version != "*":
        return [message.package_version]
    return await work.index.versions(message.index_url, message.package_name)


async def _solve_version(message: UnresolvedPackage, work: Work, version: str, enabled: list[str]) -> None:
    release = Release(message.package_name, version, message.index_url)
    solvers = await missing_solvers(work, release, only=message.solver)
    await learn_by_solvers(work, release, solvers=solvers, dependency_indexes=enabled)
