# SPDX-License-Identifier: GPL-3.0-or-later
"""Maps HTTP statuses to the errors of handlers, and parses Retry-After headers."""

from datetime import datetime, timezone
from email.utils import parsedate_to_datetime
from http import HTTPStatus

from investigator.delivery.errors import PermanentError, TemporaryError, UnavailableError

# The server throttles all clients, or a gateway cannot reach it: the cause is not a single message.
_UNAVAILABLE = {
    HTTPStatus.TOO_MANY_REQUESTS,
    HTTPStatus.BAD_GATEWAY,
    HTTPStatus.SERVICE_UNAVAILABLE,
    HTTPStatus.GATEWAY_TIMEOUT,
}
# The only 4xx statuses after which the same request may succeed: with a new token, or later.
_RETRYABLE = {HTTPStatus.UNAUTHORIZED, HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.CONFLICT, HTTPStatus.TOO_EARLY}


def error_for_status(status: int, text: str, *, delay: float | None = None) -> PermanentError | TemporaryError:
    """Return the error for the handler.

    Args:
        status: the HTTP status; one of success means that the response could not be read.
        text: the request and the response.
        delay: the seconds of the response's Retry-After header, None without one.
    """
    if status in _UNAVAILABLE:
        return UnavailableError(text, delay=delay)
    return PermanentError(text) if is_refusal(status) else TemporaryError(text, delay=delay)


def is_refusal(status: int) -> bool:
    """Return whether the server would refuse the same request at any time."""
    refused = HTTPStatus.BAD_REQUEST <= status < HTTPStatus.INTERNAL_SERVER_ERROR
    return refused and status not in _RETRYABLE | _UNAVAILABLE


def retry_after(header: str | None, now: datetime | None = None) -> float | None:
    """Parse a Retry-After header, a number of seconds or a date.

    Returns:
        Seconds from ``now`` on, 0 for a date in the past; None if the header is absent or invalid.
    """
    text = (header or "").strip()
    if text.isdecimal() and text.isascii():
        return float(text)
    try:
        date = parsedate_to_datetime(text)
    except ValueError:
        return None
    if date.tzinfo is None:  # the time zone "-0000" means UTC as well
        date = date.replace(tzinfo=timezone.utc)
    return max((date - (now or datetime.now(timezone.utc))).total_seconds(), 0.0)
