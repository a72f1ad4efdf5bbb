# SPDX-License-Identifier: GPL-3.0-or-later
"""The security of a version of a package was not analysed; the analysis is scheduled unless it was made meanwhile."""

from investigator.agent import Message, Mode, Text, Work, agent
from investigator.agent.learning import Release, learn_security_indicators


class SiUnanalyzedPackage(Message, serializer="json"):
    """Which version of which package, and where."""

    package_name: Text
    package_version: Text
    index_url: Text


@agent("thoth.investigator.si-unanalyzed-package", mode=Mode.MIDDLETIER)
async def analyse(message: SiUnanalyzedPackage, work: Work) -> None:
    """Schedule the analysis of security indicators."""
    await learn_security_indicators(work, Release(message.package_name, message.package_version, message.index_url))
