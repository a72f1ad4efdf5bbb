# SPDX-License-Identifier: GPL-3.0-or-later
"""Kubernetes' Status objects: the body of the API's error replies."""

from typing import Any

from aiohttp import web

__all__ = ["Refusal", "already_exists", "bad_request", "invalid", "not_found", "refusal_reply", "unauthorized"]


class Refusal(Exception):  # noqa: N818 - an answer of the API, not an error of the stand-in
    """An error reply of the API: HTTP status, Kubernetes' reason, message, and details of the object."""

    def __init__(self, code: int, reason: str, message: str, **details: object) -> None:
        """Store the parts of the reply."""
        super().__init__(message)
        self.code = code
        self.reason = reason
        self.details = details

    def as_json(self) -> dict[str, Any]:
        """Return the Status object: the body of the reply."""
        return {
            "kind": "Status",
            "apiVersion": "v1",
            "metadata": {},
            "status": "Failure",
            "message": str(self),
            "reason": self.reason,
            "details": self.details,
            "code": self.code,
        }


def refusal_reply(refusal: Refusal, retry_after: float | None = None) -> web.Response:
    """Return the HTTP reply, with a Retry-After header if `retry_after`, in seconds, is given."""
    headers = {} if retry_after is None else {"Retry-After": f"{retry_after:g}"}
    return web.json_response(refusal.as_json(), status=refusal.code, headers=headers)


def unauthorized() -> Refusal:
    """Return the error 401 for a request without a valid bearer token."""
    return Refusal(401, "Unauthorized", "Unauthorized")


def bad_request(message: str) -> Refusal:
    """Return the error 400 for a malformed request."""
    return Refusal(400, "BadRequest", message)


def not_found(kind: str, name: str, group: str = "") -> Refusal:
    """Return the error 404 for an object that does not exist; `kind` is the plural, such as "workflows"."""
    resource = f"{kind}.{group}" if group else kind
    return Refusal(404, "NotFound", f'{resource} "{name}" not found', name=name, group=group, kind=kind)


def already_exists(kind: str, name: str, group: str) -> Refusal:
    """Return the error 409 for a new object with an existing name; `kind` is the plural, such as "workflows"."""
    return Refusal(409, "AlreadyExists", f'{kind}.{group} "{name}" already exists', name=name, group=group, kind=kind)


def invalid(kind: str, group: str, name: str, field: str, why: str) -> Refusal:
    """Return the error 422 for an object with an invalid field; `kind` is the singular, such as "Workflow"."""
    cause = {"reason": "FieldValueInvalid", "message": why, "field": field}
    message = f'{kind}.{group} "{name}" is invalid: {field}: {why}'
    return Refusal(422, "Invalid", message, name=name, group=group, kind=kind, causes=[cause])
