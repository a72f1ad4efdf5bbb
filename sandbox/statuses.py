# SPDX-License-Identifier: GPL-3.0-or-later
"""Kubernetes' Status objects: how its API says that it refuses something."""

from typing import Any

from aiohttp import web

__all__ = ["Refusal", "already_exists", "bad_request", "invalid", "not_found", "refusal_reply", "unauthorized"]


class Refusal(Exception):  # noqa: N818 - it is an answer of the API, not a failure of the stand-in
    """The API refuses a request: HTTP status, Kubernetes' reason, message, and details of the object concerned."""

    def __init__(self, code: int, reason: str, message: str, **details: object) -> None:
        """Keep what the reply will say."""
        super().__init__(message)
        self.code = code
        self.reason = reason
        self.details = details

    def as_json(self) -> dict[str, Any]:
        """Give the body of the reply."""
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
    """Give the HTTP reply, with a Retry-After header where seconds are given."""
    headers = {} if retry_after is None else {"Retry-After": f"{retry_after:g}"}
    return web.json_response(refusal.as_json(), status=refusal.code, headers=headers)


def unauthorized() -> Refusal:
    """Refuse a request without a valid bearer token."""
    return Refusal(401, "Unauthorized", "Unauthorized")


def bad_request(message: str) -> Refusal:
    """Refuse a request that can't be understood."""
    return Refusal(400, "BadRequest", message)


def not_found(kind: str, name: str, group: str = "") -> Refusal:
    """Refuse to touch an object that is not there; `kind` is the plural, like "workflows"."""
    resource = f"{kind}.{group}" if group else kind
    return Refusal(404, "NotFound", f'{resource} "{name}" not found', name=name, group=group, kind=kind)


def already_exists(kind: str, name: str, group: str) -> Refusal:
    """Refuse to create an object whose name is taken."""
    return Refusal(409, "AlreadyExists", f'{kind}.{group} "{name}" already exists', name=name, group=group, kind=kind)


def invalid(kind: str, group: str, name: str, field: str, why: str) -> Refusal:
    """Refuse an object with a wrong field; `kind` is the singular, like "Workflow"."""
    cause = {"reason": "FieldValueInvalid", "message": why, "field": field}
    message = f'{kind}.{group} "{name}" is invalid: {field}: {why}'
    return Refusal(422, "Invalid", message, name=name, group=group, kind=kind, causes=[cause])
