# SPDX-License-Identifier: GPL-3.0-or-later
"""A security analysis has looked for the source distribution of a package version.

The security-indicator workflow sends the message when there is none. The worker stores this in the knowledge graph, so
that the analysis is not scheduled for the version again.
"""

from investigator.agent import Message, Mode, Work, agent
from investigator.agent.package_fields import IndexUrl, PackageName, PackageVersion


class UpdateProvidesSourceDistro(Message, serializer="json"):
    """The package version, its index, and whether it has a source distribution."""

    package_name: PackageName
    package_version: PackageVersion
    index_url: IndexUrl
    value: bool


@agent("thoth.update-provides-source-distro", mode=Mode.MIDDLETIER)
async def flag(message: UpdateProvidesSourceDistro, work: Work) -> None:
    """Set the flag in the graph."""
    await work.graph.set_provides_source_distro(
        message.package_name, message.package_version, message.index_url, value=message.value
    )
