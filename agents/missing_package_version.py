# SPDX-License-Identifier: GPL-3.0-or-later
"""An index no longer has a package version.

package-update sends the message, and so does a security analysis that cannot download the version. The worker flags the
version in the knowledge graph, so that advisers no longer recommend it. Then it schedules Kebechet's administrator,
which runs Kebechet for the projects that use the version.
"""

from investigator.agent import Message, Mode, Work, agent
from investigator.agent.learning import notify_kebechet
from investigator.agent.package_fields import IndexUrl, PackageName, PackageVersion


class MissingPackageVersion(Message, serializer="json"):
    """The package version, and the index that it is missing on."""

    index_url: IndexUrl
    package_name: PackageName
    package_version: PackageVersion


@agent("thoth.package-update.missing-package-version", mode=Mode.BACKEND)
async def flag(message: MissingPackageVersion, work: Work) -> None:
    """Flag the version as missing, then schedule Kebechet's administrator."""
    name, version, index_url = message.package_name, message.package_version, message.index_url
    await work.once("flag", lambda: work.graph.flag_version_missing(name, version, index_url))
    await notify_kebechet(work, name=name, version=version, index_url=index_url)
