# SPDX-License-Identifier: GPL-3.0-or-later
"""A package is gone from an index with all of its versions; package-update says so.

Advisers must not recommend what can't be installed, and projects that use it have to be told.
"""

from investigator.agent import Message, Mode, Text, Work, agent
from investigator.agent.learning import notify_kebechet


class MissingPackage(Message, serializer="json"):
    """Which package, and where it is missing."""

    index_url: Text
    package_name: Text


@agent("thoth.package-update.missing-package", mode=Mode.BACKEND)
async def flag(message: MissingPackage, work: Work) -> None:
    """Flag every known version of the package on that index as missing, then schedule Kebechet's administrator."""
    name, index_url = message.package_name, message.index_url
    await work.once("flag", lambda: work.graph.flag_package_missing(name, index_url))
    await notify_kebechet(work, name=name, index_url=index_url)
