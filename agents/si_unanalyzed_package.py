# SPDX-License-Identifier: GPL-3.0-or-later
"""The knowledge graph holds no security indicators of a package version.

graph-refresh sends the message. The worker schedules their analysis, unless the graph holds its result by now.
"""

from investigator.agent import Message, Mode, Work, agent
from investigator.agent.learning import Release, learn_security_indicators
from investigator.agent.package_fields import IndexUrl, PackageName, PackageVersion


class SiUnanalyzedPackage(Message, serializer="json"):
    """The package version and its index."""

    package_name: PackageName
    package_version: PackageVersion
    index_url: IndexUrl


@agent("thoth.investigator.si-unanalyzed-package", mode=Mode.MIDDLETIER)
async def analyse(message: SiUnanalyzedPackage, work: Work) -> None:
    """Schedule the analysis of security indicators, unless the graph holds its result."""
    await learn_security_indicators(work, Release(message.package_name, message.package_version, message.index_url))
