# SPDX-License-Identifier: GPL-3.0-or-later
"""A repository has to be set up for its first advice by Thoth.

user-api sends the message. The worker schedules the thoth-repo-init workflow.
"""

from investigator.agent import Message, Mode, Text, Work, agent


class RepoInit(Message, serializer="json"):
    """The URL of the repository."""

    project_url: Text
    job_id: str | None = None


@agent("thoth.repo-init", mode=Mode.BACKEND)
async def initialize(message: RepoInit, work: Work) -> None:
    """Schedule the set-up of the repository."""
    await work.schedule("thoth-repo-init", **message.own_fields())
