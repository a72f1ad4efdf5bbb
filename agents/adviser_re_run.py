# SPDX-License-Identifier: GPL-3.0-or-later
"""An advice has to be given again, since what it lacked is known now.

The adviser workflow gives it. What older producers say about a GitHub event goes no further: nothing takes it any more.
"""

from collections.abc import Mapping
from typing import ClassVar

from investigator.agent import Message, Mode, Text, Work, agent


class AdviserReRun(Message, serializer="json"):
    """Which advice, of what kind, and who asked for it first."""

    re_run_adviser_id: Text
    recommendation_type: str
    origin: str | None = None
    source_type: str | None = None
    github_event_type: str | None = None
    github_check_run_id: int | None = None
    github_installation_id: int | None = None
    github_base_repo_url: str | None = None

    aliases: ClassVar[Mapping[str, str]] = {"adviser_id": "re_run_adviser_id"}


@agent("thoth.investigator.adviser-re-run", mode=Mode.BACKEND, versions=("v1", "v2"))
async def advise_again(message: AdviserReRun, work: Work) -> None:
    """Schedule the adviser with the id of the advice to give again."""
    await work.schedule(
        "adviser",
        recommendation_type=message.recommendation_type,
        re_run_adviser_id=message.re_run_adviser_id,
        origin=message.origin,
        source_type=message.source_type,
    )
