# SPDX-License-Identifier: GPL-3.0-or-later
"""The hashes of a package version on its index differ from those in the knowledge graph.

package-update sends the message. In middletier mode the worker schedules the solvers, which store the new hashes, and
marks the hashes that the index no longer has. In backend mode it schedules Kebechet's administrator, as projects may
have locked one of these.
"""

from investigator.agent import Message, Mode, Unused, Work, agent
from investigator.agent.learning import Release, learn_by_solvers, notify_kebechet
from investigator.agent.package_fields import IndexUrl, PackageName, PackageVersion


class HashMismatch(Message, serializer="json"):
    """The package version, its index, and the SHA-256 hashes that only the graph or only the index has."""

    index_url: IndexUrl
    package_name: PackageName
    package_version: PackageVersion
    missing_from_source: list[str]  # the graph has them, the index does not
    missing_from_database: Unused  # the index has them, the graph does not


@agent("thoth.package-update.hash-mismatch", mode=Mode.MIDDLETIER)
async def update_hashes(message: HashMismatch, work: Work) -> None:
    """Schedule all solvers, then mark the hashes that the index no longer has."""
    name, version, index_url = message.package_name, message.package_version, message.index_url
    await learn_by_solvers(work, Release(name, version, index_url))
    if message.missing_from_source:
        await work.graph.mark_hashes_absent(name, version, index_url, message.missing_from_source)


@agent("thoth.package-update.hash-mismatch", mode=Mode.BACKEND)
async def notify_projects(message: HashMismatch, work: Work) -> None:
    """Schedule Kebechet's administrator."""
    await notify_kebechet(work, name=message.package_name, version=message.package_version, index_url=message.index_url)
