# SPDX-License-Identifier: GPL-3.0-or-later
"""A repository is to be set up for Thoth's first advice; the thoth-repo-init workflow does so."""

from investigator.agent import Message, Mode, Text, Work, agent


class RepoInit(Message, serializer="json"):
    """Which repository."""

    project_url: Text
    job_id: str | None = None


@agent("thoth.repo-init", mode=Mode.BACKEND)
async def initialize(message: RepoInit, work: Work) -> None:
    """Schedule the set-up of the repository."""
    await work.schedule("thoth-repo-init", **message.contents())
