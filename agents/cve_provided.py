# SPDX-License-Identifier: GPL-3.0-or-later
"""A vulnerability (CVE) of a version of a package became known; cve-update says so.

Kebechet's administrator looks which projects use it.
"""

from investigator.agent import Message, Mode, Text, Work, agent
from investigator.agent.learning import notify_kebechet


class CveProvided(Message, serializer="json"):
    """Which version of which package, and where."""

    package_name: Text
    package_version: Text
    index_url: Text


@agent("thoth.cve-update.cve-provided", mode=Mode.BACKEND)
async def tell(message: CveProvided, work: Work) -> None:
    """Schedule Kebechet's administrator."""
    await notify_kebechet(work, name=message.package_name, version=message.package_version, index_url=message.index_url)
