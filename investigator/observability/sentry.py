# SPDX-License-Identifier: GPL-3.0-or-later
"""Reports errors to Sentry, without passwords, where SENTRY_DSN is set."""

from collections.abc import Callable
from typing import Any, cast

import sentry_sdk
from sentry_sdk.types import Event, Hint

from investigator.observability.redaction import Redactor
from investigator.settings import Settings

_FLUSH_SECONDS = 2.0


def set_up(settings: Settings, redactor: Redactor, version: str) -> None:
    """Start to report errors, if SENTRY_DSN is set.

    thoth-common can report too, but it sends the local variables of every frame, and with them passwords of messages.
    """
    if settings.sentry_dsn is None:
        return
    sentry_sdk.init(
        dsn=settings.sentry_dsn.get_secret_value(),
        environment=settings.thoth_deployment_name,
        release=version,
        before_send=before_send(redactor),
        include_local_variables=False,
        send_default_pii=False,
    )


def flush() -> None:
    """Send the reports that wait, for at most two seconds; for a process that ends without its exit handlers."""
    sentry_sdk.flush(_FLUSH_SECONDS)


def before_send(redactor: Redactor) -> Callable[[Event, Hint], Event]:
    """Return the hook that masks the secrets in every text of a report."""

    def redact(content: object) -> object:
        if isinstance(content, str):
            return redactor(content)
        if isinstance(content, dict):
            return {key: redact(value) for key, value in content.items()}
        if isinstance(content, list | tuple):
            return [redact(value) for value in content]
        return content

    return lambda event, _hint: cast("Event", redact(cast("dict[str, Any]", event)))
