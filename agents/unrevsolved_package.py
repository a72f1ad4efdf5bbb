# SPDX-License-Identifier: GPL-3.0-or-later
"""The knowledge graph does not hold the packages that depend on a package version.

graph-refresh sends the message. The worker schedules the reverse solver, which finds them.
"""

from investigator.agent import Message, Mode, Work, agent
from investigator.agent.learning import learn_by_revsolver
from investigator.agent.package_fields import PackageName, PackageVersion


class UnrevsolvedPackage(Message, serializer="json"):
    """The package version."""

    package_name: PackageName
    package_version: PackageVersion


@agent("thoth.investigator.unrevsolved-package", mode=Mode.MIDDLETIER)
async def solve(message: UnrevsolvedPackage, work: Work) -> None:
    """Schedule the reverse solver."""
    await learn_by_revsolver(work, message.package_name, message.package_version)
