# SPDX-License-Identifier: GPL-3.0-or-later
"""A solver has found the dependencies of a version of a package; its workflow says so at its end.

Its security is analysed next, and Kebechet's administrator looks which projects the news concerns.
"""

from investigator.agent import Message, Mode, Text, Work, agent
from investigator.agent.learning import Release, gather_all, learn_security_indicators, notify_kebechet


class SolvedPackage(Message, serializer="json"):
    """Which version of which package, where, and by which solver."""

    package_name: Text
    package_version: Text
    index_url: Text
    solver: Text


@agent("thoth.solver.solved-package", mode=Mode.MIDDLETIER)
async def learn_more(message: SolvedPackage, work: Work) -> None:
    """Schedule the analysis of security indicators unless it was made, and Kebechet's administrator."""
    name, version, index_url = message.package_name, message.package_version, message.index_url
    await gather_all(
        learn_security_indicators(work, Release(name, version, index_url)),
        notify_kebechet(work, name=name, version=version, index_url=index_url, solver=message.solver),
    )
