# SPDX-License-Identifier: GPL-3.0-or-later
"""The permissions of the worker in the cluster stand-in: all, except those that a test denies."""

from collections.abc import Iterable
from fnmatch import fnmatchcase
from typing import Any

from aiohttp import web

from sandbox.statuses import Refusal

__all__ = ["REVIEWS", "check_permission", "review"]

_GROUP = "authorization.k8s.io"
REVIEWS = f"/apis/{_GROUP}/v1/selfsubjectaccessreviews"
_USER = "system:serviceaccount:thoth-infra:investigator"
_VERBS = {"POST": "create", "DELETE": "delete", "PUT": "update", "PATCH": "patch"}


def check_permission(request: web.Request, denied: Iterable[str]) -> None:
    """Raise a Refusal with status 403 if a permission for the request is denied.

    Args:
        request: the request to the API.
        denied: glob patterns of denied permissions, such as ``create workflows in thoth-backend``.
    """
    group, namespace, resource, name = _parts(request.path)
    verb = _VERBS.get(request.method, "get" if name else "list")
    if resource and _is_denied(denied, verb, resource, namespace):
        raise _forbidden(verb, resource, group, namespace)


def review(body: dict[str, Any], denied: Iterable[str]) -> dict[str, Any]:
    """Return the answer to a SelfSubjectAccessReview."""
    asked = (body.get("spec") or {}).get("resourceAttributes") or {}
    facts = (asked.get("verb", ""), asked.get("resource", ""), asked.get("namespace", ""))
    return {**body, "metadata": {}, "status": {"allowed": not _is_denied(denied, *facts)}}


def _is_denied(denied: Iterable[str], verb: str, resource: str, namespace: str) -> bool:
    return any(fnmatchcase(f"{verb} {resource} in {namespace}", pattern) for pattern in denied)


def _parts(path: str) -> tuple[str, str, str, str]:
    """Return group, namespace, resource and name of a path; empty where the path has none."""
    parts = path.strip("/").split("/")
    group = parts[1] if parts[0] == "apis" and len(parts) > 1 else ""
    rest = parts[3 if parts[0] == "apis" else 2 :]
    namespace = rest[1] if rest[:1] == ["namespaces"] and len(rest) > 2 else ""  # noqa: PLR2004 - and what is in it
    rest = rest[2:] if namespace else rest
    resource, name = [*rest, "", ""][:2]
    return group, namespace, resource, name


def _forbidden(verb: str, resource: str, group: str, namespace: str) -> Refusal:
    kind = f"{resource}.{group}" if group else resource
    what = f'cannot {verb} resource "{resource}" in API group "{group}"'
    message = f'{kind} is forbidden: User "{_USER}" {what} in the namespace "{namespace}"'
    return Refusal(403, "Forbidden", message, group=group, kind=resource)
