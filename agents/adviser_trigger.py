# SPDX-License-Identifier: GPL-3.0-or-later
"""A user or bot asks for advice on a software stack, or a solver asks for an earlier advice to be computed again.

The worker schedules the adviser. A solver that has solved a missing package sets ``re_run_adviser_id``.
``limit_latest_versions`` is accepted but not used, as the adviser workflow has no parameter for it.
"""

from typing import Any

from investigator.agent import Message, Mode, Unused, Work, agent


class AdviserTrigger(Message, serializer="json"):
    """The kind of recommendation, its limits, and metadata for the result, named as in thoth-common."""

    recommendation_type: str
    dev: bool = False
    debug: bool = False
    authenticated: bool = False
    count: int | None = None
    limit: int | None = None
    origin: str | None = None
    job_id: str | None = None
    limit_latest_versions: Unused = None
    re_run_adviser_id: str | None = None
    source_type: str | None = None
    kebechet_metadata: dict[str, Any] | None = None
    justification: list[dict[str, Any]] | None = None
    stack_info: list[dict[str, Any]] | None = None


@agent("thoth.adviser-trigger", mode=Mode.BACKEND, versions=("v1", "v2", "v3", "v4", "v5"))
async def advise(message: AdviserTrigger, work: Work) -> None:
    """Schedule the adviser."""
    await work.schedule("adviser", **message.own_fields(without=["limit_latest_versions"]))
