# SPDX-License-Identifier: GPL-3.0-or-later
"""Errors are also reported to Sentry where SENTRY_DSN is set, without any password."""

from collections.abc import Callable
from typing import Any, cast

import sentry_sdk
from sentry_sdk.types import Event, Hint

from investigator.observability.redaction import Redactor
from investigator.settings import Settings


def set_up(settings: Settings, redactor: Redactor, version: str) -> None:
    """Report errors from now on, if it is wanted.

    thoth-common would do so too, but with the local variables of every frame: passwords of messages among them.
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


def before_send(redactor: Redactor) -> Callable[[Event, Hint], Event]:
    """Make the hook that removes what is secret from every text of a report."""

    def clean(content: object) -> object:
        if isinstance(content, str):
            return redactor(content)
        if isinstance(content, dict):
            return {key: clean(value) for key, value in content.items()}
        if isinstance(content, list | tuple):
            return [clean(value) for value in content]
        return content

    return lambda event, _hint: cast("Event", clean(cast("dict[str, Any]", event)))
