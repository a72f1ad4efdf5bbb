# SPDX-License-Identifier: GPL-3.0-or-later
"""Refusals and odd answers of the cluster's API, as exceptions that hold what is needed to judge them."""

import json
import re
from collections.abc import Mapping
from typing import Any

import urllib3

from investigator.resilience.retry_after import retry_after

#: Who sent an answer: the API itself, a gateway or login in front of it, or an unknown sender of other text.
KUBERNETES, WEB_PAGE, UNKNOWN = "Kubernetes", "web page", "unknown"
_MAX_TEXT = 300  # of an answer that is no Status; the beginning names the sender
_NO_TEXT = re.compile(r"<(style|script|head)\b.*?</\1\s*>|<[^>]*>", re.DOTALL | re.IGNORECASE)


class ApiError(Exception):
    """The API refused a request.

    Attributes:
        method: the HTTP method of the request.
        status: the HTTP status.
        message: the message of Kubernetes' Status object, or the text of another answer.
        reason: Kubernetes' one-word reason, empty if the answer has none.
        details: the object that the answer is about, by Kubernetes' names.
        sender: who sent the answer.
        retry_after: the seconds of the Retry-After header, None without one.
    """

    def __init__(  # noqa: PLR0913 - the parts of an answer
        self,
        request: str,
        status: int,
        message: str,
        *,
        reason: str = "",
        details: Mapping[str, Any] | None = None,
        sender: str = KUBERNETES,
        retry_after: float | None = None,
    ) -> None:
        """Store the parts; ``request`` is the method and the URL."""
        super().__init__(f"{request}: {status} {message}")
        self.method = request.partition(" ")[0]
        self.status = status
        self.message = message
        self.reason = reason
        self.details = details or {}
        self.sender = sender
        self.retry_after = retry_after


class UnexpectedAnswerError(ApiError):
    """The status says success, but the answer does not show what was asked for."""


def parse_object(response: urllib3.BaseHTTPResponse) -> dict[str, Any] | None:
    """Return the JSON object of the answer, None if there is none."""
    try:
        content = json.loads(response.data)
    except (ValueError, RecursionError):
        return None
    return content if isinstance(content, dict) else None


def refusal(request: str, response: urllib3.BaseHTTPResponse) -> ApiError:
    """Return the error for an answer whose status is no success."""
    content = parse_object(response) or {}
    if content.get("kind") != "Status":
        text = _text(response) or str(response.reason or "")
        return ApiError(request, response.status, text, sender=_sender(response), retry_after=_delay(response))
    return ApiError(
        request,
        response.status,
        str(content.get("message") or response.reason or ""),
        reason=str(content.get("reason") or ""),
        details=details if isinstance(details := content.get("details"), dict) else None,
        retry_after=_delay(response),
    )


def unexpected(request: str, response: urllib3.BaseHTTPResponse, wanted: str) -> UnexpectedAnswerError:
    """Return the error for an answer with a status of success that does not show the wanted object."""
    kind = (content := parse_object(response) or {}).get("kind")
    found = f"it has the kind {kind} {content.get('message') or ''}".strip() if kind else _text(response)
    sender = KUBERNETES if kind else _sender(response)
    message = f"the answer shows no {wanted}: {found[:_MAX_TEXT] or 'it is empty'}"
    return UnexpectedAnswerError(request, response.status, message, sender=sender, retry_after=_delay(response))


def _delay(response: urllib3.BaseHTTPResponse) -> float | None:
    return retry_after(response.headers.get("Retry-After"))


def _sender(response: urllib3.BaseHTTPResponse) -> str:
    html = "html" in response.headers.get("Content-Type", "").lower() or response.data.lstrip()[:1] == b"<"
    return WEB_PAGE if html else UNKNOWN


def _text(response: urllib3.BaseHTTPResponse) -> str:
    """Return the beginning of an answer's text, without the marks of HTML."""
    text = response.data[: 50 * _MAX_TEXT].decode("utf-8", "replace")
    return " ".join(_NO_TEXT.sub(" ", text).split())[:_MAX_TEXT]
