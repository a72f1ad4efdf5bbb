# SPDX-License-Identifier: GPL-3.0-or-later
"""A vulnerability (CVE) of a package version became known.

cve-update sends the message. The worker schedules Kebechet's administrator, which runs Kebechet for the projects that
use the version.
"""

from investigator.agent import Message, Mode, Text, Work, agent
from investigator.agent.learning import notify_kebechet


class CveProvided(Message, serializer="json"):
    """The package version and its index."""

    package_name: Text
    package_version: Text
    index_url: Text


@agent("thoth.cve-update.cve-provided", mode=Mode.BACKEND)
async def notify_projects(message: CveProvided, work: Work) -> None:
    """Schedule Kebechet's administrator."""
    await notify_kebechet(work, name=message.package_name, version=message.package_version, index_url=message.index_url)
