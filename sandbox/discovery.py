# SPDX-License-Identifier: GPL-3.0-or-later
"""The discovery documents of the cluster's API, which Kubernetes clients read first: versions, groups, resources."""

from collections.abc import Awaitable, Callable, Iterator
from typing import Any

from aiohttp import web

__all__ = ["discovery_routes"]

_VERSION = {"major": "1", "minor": "18", "gitVersion": "v1.18.3", "platform": "linux/amd64"}
_VERBS = ["create", "delete", "get", "list"]
_KINDS = {
    "v1": [("configmaps", "ConfigMap"), ("namespaces", "Namespace")],
    "template.openshift.io/v1": [("templates", "Template"), ("processedtemplates", "Template")],
    "argoproj.io/v1alpha1": [("workflows", "Workflow")],
}


def discovery_routes() -> Iterator[web.RouteDef]:
    """Yield the routes of the discovery documents."""
    yield web.get("/version", _serve(_VERSION))
    yield web.get("/api", _serve({"kind": "APIVersions", "versions": ["v1"]}))
    yield web.get("/apis", _serve({"kind": "APIGroupList", "apiVersion": "v1", "groups": _groups()}))
    for group_version in _KINDS:
        prefix = "/apis" if "/" in group_version else "/api"
        yield web.get(f"{prefix}/{group_version}", _serve(_resources(group_version)))


def _groups() -> list[dict[str, Any]]:
    versions = [(name.split("/"), name) for name in _KINDS if "/" in name]
    return [
        _group(name, {"groupVersion": group_version, "version": version}) for (name, version), group_version in versions
    ]


def _group(name: str, version: dict[str, str]) -> dict[str, Any]:
    return {"name": name, "versions": [version], "preferredVersion": version}


def _resources(group_version: str) -> dict[str, Any]:
    resources = [
        {"name": name, "singularName": "", "namespaced": name != "namespaces", "kind": kind, "verbs": _verbs(name)}
        for name, kind in _KINDS[group_version]
    ]
    return {"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": group_version, "resources": resources}


def _verbs(name: str) -> list[str]:
    return ["create"] if name == "processedtemplates" else _VERBS


def _serve(document: dict[str, Any]) -> Callable[[web.Request], Awaitable[web.Response]]:
    async def serve(_: web.Request) -> web.Response:
        return web.json_response(document)

    return serve
