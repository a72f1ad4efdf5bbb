# SPDX-License-Identifier: GPL-3.0-or-later
"""A new version of a package was released on an index; package-release says so.

All solvers learn its dependencies, the reverse solver learns what depends on it.
"""

from investigator.agent import Message, Mode, Text, Work, agent
from investigator.agent.learning import Release, gather_all, learn_by_revsolver, learn_by_solvers


class PackageReleased(Message, serializer="json"):
    """Which version of which package, and where."""

    index_url: Text
    package_name: Text
    package_version: Text


@agent("thoth.package-release.package-released", mode=Mode.MIDDLETIER)
async def learn(message: PackageReleased, work: Work) -> None:
    """Schedule every solver and the reverse solver."""
    name, version = message.package_name, message.package_version
    await gather_all(
        learn_by_solvers(work, Release(name, version, message.index_url)),
        learn_by_revsolver(work, name, version),
    )
