# SPDX-License-Identifier: GPL-3.0-or-later
"""The knowledge graph holds no security indicators of a package version.

graph-refresh sends the message. The worker schedules their analysis, unless the graph holds its result by now.
"""

from investigator.agent import Message, Mode, Text, Work, agent
from investigator.agent.learning import Release, learn_security_indicators


class SiUnanalyzedPackage(Message, serializer="json"):
    """The package version and its index."""

    package_name: Text
    package_version: Text
    index_url: Text


@agent("thoth.investigator.si-unanalyzed-package", mode=Mode.MIDDLETIER)
async def analyse(message: SiUnanalyzedPackage, work: Work) -> None:
    """Schedule the analysis of security indicators, unless the graph holds its result."""
    await learn_security_indicators(work, Release(message.package_name, message.package_version, message.index_url))
