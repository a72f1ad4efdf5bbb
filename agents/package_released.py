# SPDX-License-Identifier: GPL-3.0-or-later
"""A new version of a package was released on an index.

package-release sends the message. The worker schedules all solvers, which find the dependencies of the version, and the
reverse solver, which finds the packages that depend on it.
"""

from investigator.agent import Message, Mode, Work, agent
from investigator.agent.learning import Release, gather_all, learn_by_revsolver, learn_by_solvers
from investigator.agent.package_fields import IndexUrl, PackageName, PackageVersion


class PackageReleased(Message, serializer="json"):
    """The new package version and its index."""

    index_url: IndexUrl
    package_name: PackageName
    package_version: PackageVersion


@agent("thoth.package-release.package-released", mode=Mode.MIDDLETIER)
async def solve(message: PackageReleased, work: Work) -> None:
    """Schedule all solvers and the reverse solver."""
    name, version = message.package_name, message.package_version
    await gather_all(
        learn_by_solvers(work, Release(name, version, message.index_url)),
        learn_by_revsolver(work, name, version),
    )
