# SPDX-License-Identifier: GPL-3.0-or-later
"""Advice is asked for: by a user or bot, or again (``re_run_adviser_id``) by a solver that has learnt what was lacking.

The adviser workflow gives it. ``limit_latest_versions`` goes no further: the adviser's workflow has no such parameter.
"""

from typing import Any

from investigator.agent import Message, Mode, Work, agent


class AdviserTrigger(Message, serializer="json"):
    """What kind of advice, from where, and what the answer has to carry back; the names are those of thoth-common."""

    recommendation_type: str
    dev: bool = False
    debug: bool = False
    authenticated: bool = False
    count: int | None = None
    limit: int | None = None
    origin: str | None = None
    job_id: str | None = None
    limit_latest_versions: int | None = None
    re_run_adviser_id: str | None = None
    source_type: str | None = None
    kebechet_metadata: dict[str, Any] | None = None
    justification: list[dict[str, Any]] | None = None
    stack_info: list[dict[str, Any]] | None = None


@agent("thoth.adviser-trigger", mode=Mode.BACKEND, versions=("v1", "v2", "v3", "v4", "v5"))
async def advise(message: AdviserTrigger, work: Work) -> None:
    """Schedule the adviser."""
    await work.schedule("adviser", **message.contents(without=["limit_latest_versions"]))
