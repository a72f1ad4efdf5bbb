# SPDX-License-Identifier: GPL-3.0-or-later
"""An index no longer has any version of a package.

package-update sends the message. The worker flags all versions in the knowledge graph, so that advisers no longer
recommend them. Then it schedules Kebechet's administrator, which runs Kebechet for the projects that use the package.
"""

from investigator.agent import Message, Mode, Work, agent
from investigator.agent.learning import notify_kebechet
from investigator.agent.package_fields import IndexUrl, PackageName


class MissingPackage(Message, serializer="json"):
    """The package, and the index that it is missing on."""

    index_url: IndexUrl
    package_name: PackageName


@agent("thoth.package-update.missing-package", mode=Mode.BACKEND)
async def flag(message: MissingPackage, work: Work) -> None:
    """Flag all known versions of the package on the index as missing, then schedule Kebechet's administrator."""
    name, index_url = message.package_name, message.index_url
    await work.once("flag", lambda: work.graph.flag_package_missing(name, index_url))
    await notify_kebechet(work, name=name, index_url=index_url)
