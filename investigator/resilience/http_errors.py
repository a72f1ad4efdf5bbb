# SPDX-License-Identifier: GPL-3.0-or-later
"""What an HTTP status means for the message that the request was made for."""

from datetime import datetime, timezone
from email.utils import parsedate_to_datetime
from http import HTTPStatus

from investigator.delivery.errors import PermanentError, TemporaryError, UnavailableError

# Everybody is asked to hold back, or a gateway finds nobody behind it: that is no single message's trouble.
_UNAVAILABLE = {
    HTTPStatus.TOO_MANY_REQUESTS,
    HTTPStatus.BAD_GATEWAY,
    HTTPStatus.SERVICE_UNAVAILABLE,
    HTTPStatus.GATEWAY_TIMEOUT,
}
# The only ones of the 4xx that another attempt may mend: a new token, or another moment.
_PASSING = {HTTPStatus.UNAUTHORIZED, HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.CONFLICT, HTTPStatus.TOO_EARLY}


def error_for_status(status: int, text: str, *, delay: float | None = None) -> PermanentError | TemporaryError:
    """Make the error that a handler is to see.

    Args:
        status: the HTTP status; one that promises success stands for a reply that could not be read.
        text: says what was asked and what was answered.
        delay: the seconds that the server asked to be left alone, None where it asked for nothing.
    """
    if status in _UNAVAILABLE:
        return UnavailableError(text, delay=delay)
    return PermanentError(text) if is_refusal(status) else TemporaryError(text, delay=delay)


def is_refusal(status: int) -> bool:
    """Tell whether the same request would be refused at any time."""
    refused = HTTPStatus.BAD_REQUEST <= status < HTTPStatus.INTERNAL_SERVER_ERROR
    return refused and status not in _PASSING | _UNAVAILABLE


def retry_after(header: str | None, now: datetime | None = None) -> float | None:
    """Read a Retry-After header, seconds or a date, as seconds from ``now`` on; None if there is none to be read."""
    text = (header or "").strip()
    if text.isdecimal() and text.isascii():
        return float(text)
    try:
        date = parsedate_to_datetime(text)
    except ValueError:
        return None
    if date.tzinfo is None:  # a date "-0000" is in UTC too
        date = date.replace(tzinfo=timezone.utc)
    return max((date - (now or datetime.now(timezone.utc))).total_seconds(), 0.0)
