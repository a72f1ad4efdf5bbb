# SPDX-License-Identifier: GPL-3.0-or-later
"""What depends on a version of a package is not known; the reverse solver learns it."""

from investigator.agent import Message, Mode, Text, Work, agent
from investigator.agent.learning import learn_by_revsolver


class UnrevsolvedPackage(Message, serializer="json"):
    """Which version of which package."""

    package_name: Text
    package_version: Text


@agent("thoth.investigator.unrevsolved-package", mode=Mode.MIDDLETIER)
async def learn(message: UnrevsolvedPackage, work: Work) -> None:
    """Schedule the reverse solver."""
    await learn_by_revsolver(work, message.package_name, message.package_version)
