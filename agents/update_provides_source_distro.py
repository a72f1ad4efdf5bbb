# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a version of a package has a source distribution; a security analysis that found none says so.

The flag in the graph keeps the analysis from being scheduled for it again.
"""

from investigator.agent import Message, Mode, Text, Work, agent


class UpdateProvidesSourceDistro(Message, serializer="json"):
    """Which version of which package, where, and whether it has a source distribution."""

    package_name: Text
    package_version: Text
    index_url: Text
    value: bool


@agent("thoth.update-provides-source-distro", mode=Mode.MIDDLETIER)
async def flag(message: UpdateProvidesSourceDistro, work: Work) -> None:
    """Set the flag in the graph."""
    await work.graph.set_provides_source_distro(
        message.package_name, message.package_version, message.index_url, value=message.value
    )
