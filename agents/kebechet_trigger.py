# SPDX-License-Identifier: GPL-3.0-or-later
"""A git service has called Kebechet's webhook about an event in a repository.

user-api receives the call and sends its payload as a message. The worker schedules the kebechet workflow for the event.
"""

from typing import Any

from investigator.agent import Message, Mode, PermanentError, Work, agent


class KebechetTrigger(Message, serializer="json"):
    """The payload of the webhook."""

    webhook_payload: dict[str, Any]
    job_id: str | None = None


@agent("thoth.kebechet-trigger", mode=Mode.BACKEND)
async def run_kebechet(message: KebechetTrigger, work: Work) -> None:
    """Schedule Kebechet with the payload."""
    payload = message.webhook_payload
    # An event that concerns no single repository has no repository, or null.
    if payload.get("repository") is None:
        # thoth-common would read the name of the repository from null.
        payload = {name: value for name, value in payload.items() if name != "repository"}
    elif not isinstance(payload["repository"], dict):
        raise PermanentError("field 'webhook_payload.repository': should be an object")
    await work.schedule("kebechet", webhook_payload=payload, job_id=message.job_id)
