# SPDX-License-Identifier: GPL-3.0-or-later
"""A solver has found the dependencies of a package version.

The solver workflow sends the message at its end. The worker schedules the analysis of the version's security indicators
and Kebechet's administrator, which runs Kebechet for the projects that the result concerns.
"""

from investigator.agent import Message, Mode, Text, Work, agent
from investigator.agent.learning import Release, gather_all, learn_security_indicators, notify_kebechet
from investigator.agent.package_fields import IndexUrl, PackageName, PackageVersion


class SolvedPackage(Message, serializer="json"):
    """The package version, its index, and the solver."""

    package_name: PackageName
    package_version: PackageVersion
    index_url: IndexUrl
    solver: Text


@agent("thoth.solver.solved-package", mode=Mode.MIDDLETIER)
async def follow_up(message: SolvedPackage, work: Work) -> None:
    """Schedule the analysis of security indicators, unless the graph holds its result, and Kebechet's administrator."""
    name, version, index_url = message.package_name, message.package_version, message.index_url
    await gather_all(
        learn_security_indicators(work, Release(name, version, index_url)),
        notify_kebechet(work, name=name, version=version, index_url=index_url, solver=message.solver),
    )
