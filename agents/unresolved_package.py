# SPDX-License-Identifier: GPL-3.0-or-later
"""The knowledge graph does not hold the dependencies of a package, so an adviser cannot recommend it.

The adviser that needs them sends the message, or graph-refresh does. The worker schedules the solvers that have not
solved the package version yet. The version may be a specifier of a Pipfile: ``==2.26.0`` is the version 2.26.0, while
``>=2.25,<3`` selects versions on the index as pip does. Without a version, or with ``*``, the worker takes all versions
on the index. It goes from the latest to the oldest, as an adviser most likely recommends the latest. It stops at
``THOTH_INVESTIGATOR_MAX_VERSIONS`` and logs how many it omits. If the index does not have the package, the worker logs
a warning and there is nothing to do.
"""

from functools import partial

from investigator.agent import Message, Mode, PermanentError, Work, agent
from investigator.agent.learning import Release, learn_by_solvers, missing_solvers, selected_versions
from investigator.agent.package_fields import IndexUrl, PackageName, VersionSpecifier, registered_spelling


class UnresolvedPackage(Message, serializer="json"):
    """The package and its index, and optionally the versions and the solver whose result the adviser needs."""

    package_name: PackageName
    index_url: IndexUrl
    package_version: VersionSpecifier | None = None
    solver: str | None = None


@agent("thoth.investigator.unresolved-package", mode=Mode.MIDDLETIER)
async def solve(message: UnresolvedPackage, work: Work) -> None:
    """Schedule the solvers that have not solved the package. Its index must be registered in the graph."""
    if not work.settings.thoth_investigator_schedule_solver:
        return
    index_url = registered_spelling(message.index_url, await work.graph.registered_index_urls())
    if index_url is None:
        raise PermanentError(f"field 'index_url': no index {message.index_url!r} is registered in the graph")
    enabled = await work.graph.enabled_index_urls()
    for version in await selected_versions(work, index_url, message.package_name, message.package_version):
        release = Release(message.package_name, version, index_url)
        await work.once(f"version {version}", partial(_solve_release, message, work, release, enabled))


async def _solve_release(message: UnresolvedPackage, work: Work, release: Release, enabled: list[str]) -> None:
    solvers = await missing_solvers(work, release, only=message.solver)
    await learn_by_solvers(work, release, solvers=solvers, dependency_indexes=enabled)
