# SPDX-License-Identifier: GPL-3.0-or-later
"""A package can't be resolved for want of knowledge; an adviser run says so and waits for the solvers.

Without a version (or with ``*``) every version on the index is meant, latest first: the latest is the likeliest advice.
"""

from functools import partial

from investigator.agent import Message, Mode, PermanentError, Text, Work, agent
from investigator.agent.learning import Release, learn_by_solvers, missing_solvers


class UnresolvedPackage(Message, serializer="json"):
    """Which package on which index; perhaps which version, and the one solver that the adviser asks for."""

    package_name: Text
    index_url: Text
    package_version: str | None = None
    solver: str | None = None


@agent("thoth.investigator.unresolved-package", mode=Mode.MIDDLETIER)
async def learn(message: UnresolvedPackage, work: Work) -> None:
    """Schedule the solvers that have not solved it yet; the index must be registered in the graph."""
    if not work.settings.thoth_investigator_schedule_solver:
        return
    if message.index_url not in await work.graph.registered_index_urls():
        raise PermanentError(f"field 'index_url': no index {message.index_url!r} is registered in the graph")
    enabled = await work.graph.enabled_index_urls()
    for version in await work.once("versions", partial(_versions, message, work)):
        await work.once(f"version {version}", partial(_learn_version, message, work, version, enabled))


async def _versions(message: UnresolvedPackage, work: Work) -> list[str]:
    if message.package_version and message.package_version != "*":
        return [message.package_version]
    return await work.index.versions(message.index_url, message.package_name)


async def _learn_version(message: UnresolvedPackage, work: Work, version: str, enabled: list[str]) -> None:
    release = Release(message.package_name, version, message.index_url)
    lacking = await missing_solvers(work, release, only=message.solver)
    await learn_by_solvers(work, release, solvers=lacking, dependency_indexes=enabled)
