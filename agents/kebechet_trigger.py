# SPDX-License-Identifier: GPL-3.0-or-later
"""Something happened in a repository that Kebechet looks after; the payload is what its git service said about it.

The kebechet workflow acts on it.
"""

from typing import Any

from investigator.agent import Message, Mode, PermanentError, Work, agent


class KebechetTrigger(Message, serializer="json"):
    """The webhook's payload."""

    webhook_payload: dict[str, Any]
    job_id: str | None = None


@agent("thoth.kebechet-trigger", mode=Mode.BACKEND)
async def run_kebechet(message: KebechetTrigger, work: Work) -> None:
    """Schedule Kebechet; an event that is about no repository has none, or null for it."""
    payload = message.webhook_payload
    if payload.get("repository") is None:
        # thoth-common takes the name of any repository that is there, and would stumble over null.
        payload = {field: content for field, content in payload.items() if field != "repository"}
    elif not isinstance(payload["repository"], dict):
        raise PermanentError("field 'webhook_payload.repository': should be an object")
    await work.schedule("kebechet", webhook_payload=payload, job_id=message.job_id)
