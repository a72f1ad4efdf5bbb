# SPDX-License-Identifier: GPL-3.0-or-later
"""The hashes of a version of a package on its index are not those in the graph; package-update says so.

The solvers learn the hashes that are new; those that are gone are marked in the graph; projects that use the package
may have locked a hash that is gone, so Kebechet's administrator is told.
"""

from investigator.agent import Message, Mode, Text, Work, agent
from investigator.agent.learning import Release, learn_by_solvers, notify_kebechet


class HashMismatch(Message, serializer="json"):
    """Which version of which package, where, and the SHA-256 hashes that one side lacks."""

    index_url: Text
    package_name: Text
    package_version: Text
    missing_from_source: list[str]
    missing_from_database: list[str]


@agent("thoth.package-update.hash-mismatch", mode=Mode.MIDDLETIER)
async def learn_hashes(message: HashMismatch, work: Work) -> None:
    """Schedule every solver, then mark the hashes that the index no longer has."""
    name, version, index_url = message.package_name, message.package_version, message.index_url
    await learn_by_solvers(work, Release(name, version, index_url))
    if message.missing_from_source:
        await work.graph.mark_hashes_absent(name, version, index_url, message.missing_from_source)


@agent("thoth.package-update.hash-mismatch", mode=Mode.BACKEND)
async def tell(message: HashMismatch, work: Work) -> None:
    """Schedule Kebechet's administrator."""
    await notify_kebechet(work, name=message.package_name, version=message.package_version, index_url=message.index_url)
