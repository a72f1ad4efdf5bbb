# SPDX-License-Identifier: GPL-3.0-or-later
"""An adviser has to run again, because the knowledge that its earlier run lacked is in the graph now.

A solver sends the message. The worker schedules the adviser with the id of the earlier run. Older producers also send
fields about a GitHub event; no workflow parameter takes them any more.
"""

from collections.abc import Mapping
from typing import ClassVar

from investigator.agent import Message, Mode, Text, Unused, Work, agent


class AdviserReRun(Message, serializer="json"):
    """The id, kind, origin and source of the earlier run."""

    re_run_adviser_id: Text
    recommendation_type: str
    origin: str | None = None
    source_type: str | None = None
    github_event_type: Unused = None
    github_check_run_id: Unused = None
    github_installation_id: Unused = None
    github_base_repo_url: Unused = None

    aliases: ClassVar[Mapping[str, str]] = {"adviser_id": "re_run_adviser_id"}


@agent("thoth.investigator.adviser-re-run", mode=Mode.BACKEND, versions=("v1", "v2"))
async def advise_again(message: AdviserReRun, work: Work) -> None:
    """Schedule the adviser with the id of the earlier run."""
    await work.schedule(
        "adviser",
        recommendation_type=message.recommendation_type,
        re_run_adviser_id=message.re_run_adviser_id,
        origin=message.origin,
        source_type=message.source_type,
    )
