# SPDX-License-Identifier: GPL-3.0-or-later
"""A vulnerability (CVE) of a package version became known.

cve-update sends the message. The worker schedules Kebechet's administrator, which runs Kebechet for the projects that
use the version.
"""

from investigator.agent import Message, Mode, Work, agent
from investigator.agent.learning import notify_kebechet
from investigator.agent.package_fields import IndexUrl, PackageName, PackageVersion


class CveProvided(Message, serializer="json"):
    """The package version and its index."""

    package_name: PackageName
    package_version: PackageVersion
    index_url: IndexUrl


@agent("thoth.cve-update.cve-provided", mode=Mode.BACKEND)
async def notify_projects(message: CveProvided, work: Work) -> None:
    """Schedule Kebechet's administrator."""
    await notify_kebechet(work, name=message.package_name, version=message.package_version, index_url=message.index_url)
