# SPDX-License-Identifier: GPL-3.0-or-later
"""A version of a package is gone from an index; package-update or a security analysis that needed it says so.

Advisers must not recommend what can't be installed, and projects that use it have to be told.
"""

from investigator.agent import Message, Mode, Text, Work, agent
from investigator.agent.learning import notify_kebechet


class MissingPackageVersion(Message, serializer="json"):
    """Which version of which package, and where it is missing."""

    index_url: Text
    package_name: Text
    package_version: Text


@agent("thoth.package-update.missing-package-version", mode=Mode.BACKEND)
async def flag(message: MissingPackageVersion, work: Work) -> None:
    """Flag the version as missing, then schedule Kebechet's administrator."""
    name, version, index_url = message.package_name, message.package_version, message.index_url
    await work.once("flag", lambda: work.graph.flag_version_missing(name, version, index_url))
    await notify_kebechet(work, name=name, version=version, index_url=index_url)
