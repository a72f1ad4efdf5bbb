# SPDX-License-Identifier: GPL-3.0-or-later
"""A user or bot asks whether the packages of a locked software stack come from the indexes that it names.

user-api sends the message. The worker schedules the provenance-checker workflow.
"""

from typing import Any

from investigator.agent import Message, Mode, Work, agent


class ProvenanceCheckerTrigger(Message, serializer="json"):
    """The allowed indexes, and metadata for the result, named as in thoth-common."""

    debug: bool = False
    authenticated: bool = False
    origin: str | None = None
    whitelisted_sources: list[str] | None = None
    job_id: str | None = None
    kebechet_metadata: dict[str, Any] | None = None
    justification: list[dict[str, Any]] | None = None
    stack_info: list[dict[str, Any]] | None = None


@agent("thoth.provenance-checker-trigger", mode=Mode.BACKEND, versions=("v1", "v2", "v3", "v4"))
async def check(message: ProvenanceCheckerTrigger, work: Work) -> None:
    """Schedule the provenance checker."""
    await work.schedule("provenance-checker", **message.own_fields())
