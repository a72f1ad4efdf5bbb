# SPDX-License-Identifier: GPL-3.0-or-later
"""The HTTP routes of the cluster stand-in."""

from collections.abc import Iterator
from typing import Any, Protocol

from aiohttp import web

from sandbox.access_reviews import REVIEWS, review
from sandbox.discovery import discovery_routes
from sandbox.label_selectors import matches, parse_selector
from sandbox.paging import Pager
from sandbox.statuses import bad_request, not_found
from sandbox.templating import process
from sandbox.workflow_lifecycle import WorkflowController
from sandbox.workflow_store import GROUP, Workflow, WorkflowStore

__all__ = ["ClusterApi", "ClusterContent"]

_CONFIG_MAPS = "/api/v1/namespaces/{namespace}/configmaps"
_PODS = "/api/v1/namespaces/{namespace}/pods"
_TEMPLATES = "/apis/template.openshift.io/v1/namespaces/{namespace}"
_WORKFLOWS = f"/apis/{GROUP}/v1alpha1/namespaces/{{namespace}}/workflows"
# Refused, because a client must not believe that they had an effect. Pods have a field selector.
_UNSUPPORTED = {"fieldSelector", "watch", "resourceVersion"}


class _Names(Protocol):
    @property
    def infra(self) -> str: ...


class ClusterContent(Protocol):
    """The state of a cluster that the routes read and change."""

    solvers: list[str]
    templates: list[dict[str, Any]]
    store: WorkflowStore
    controller: WorkflowController
    denied: set[str]

    @property
    def namespaces(self) -> _Names:
        """The names of the namespaces."""


class ClusterApi:
    """Request handlers for Kubernetes, OpenShift and Argo clients, over the state of a cluster."""

    def __init__(self, content: ClusterContent) -> None:
        """Read and change that state."""
        self._content = content
        self._pager: Pager[dict[str, Any]] = Pager()

    def routes(self) -> Iterator[web.RouteDef]:
        """Yield the routes of the API."""
        yield from discovery_routes()
        yield web.post(REVIEWS, self._review_access)
        yield web.get(_CONFIG_MAPS, self._list_config_maps)
        yield web.get(f"{_CONFIG_MAPS}/{{name}}", self._get_config_map)
        yield web.get(f"{_TEMPLATES}/templates", self._list_templates)
        yield web.post(f"{_TEMPLATES}/processedtemplates", self._process_template)
        yield web.get(_PODS, self._list_pods)
        yield web.get(_WORKFLOWS, self._list_workflows)
        yield web.post(_WORKFLOWS, self._create_workflow)
        yield web.get(f"{_WORKFLOWS}/{{name}}", self._get_workflow)
        yield web.delete(f"{_WORKFLOWS}/{{name}}", self._delete_workflow)
        yield web.route("*", "/{path:.*}", _path_not_found)

    async def _review_access(self, request: web.Request) -> web.Response:
        return web.json_response(review(await _json_object(request), self._content.denied), status=201)

    async def _list_config_maps(self, request: web.Request) -> web.Response:
        in_infra = request.match_info["namespace"] == self._content.namespaces.infra
        items = [self._solvers()] if in_infra and not parse_selector(request.query.get("labelSelector", "")) else []
        return web.json_response(_list_reply("v1", "ConfigMapList", items))

    async def _get_config_map(self, request: web.Request) -> web.Response:
        wanted = (request.match_info["namespace"], request.match_info["name"])
        if wanted != (self._content.namespaces.infra, "solvers"):
            raise not_found("configmaps", request.match_info["name"])
        return web.json_response(self._solvers())

    def _solvers(self) -> dict[str, Any]:
        metadata = {"name": "solvers", "namespace": self._content.namespaces.infra}
        data = {"solvers": "\n".join(self._content.solvers)}
        return {"kind": "ConfigMap", "apiVersion": "v1", "metadata": metadata, "data": data}

    async def _list_templates(self, request: web.Request) -> web.Response:
        selector = parse_selector(request.query.get("labelSelector", ""))
        in_infra = request.match_info["namespace"] == self._content.namespaces.infra
        templates = self._content.templates if in_infra else []
        items = [template for template in templates if matches(selector, template["metadata"].get("labels") or {})]
        return web.json_response(_list_reply("template.openshift.io/v1", "TemplateList", items))

    async def _process_template(self, request: web.Request) -> web.Response:
        self._content.store.check_namespace(request.match_info["namespace"])
        return web.json_response(process(await _json_object(request)), status=201)

    async def _list_workflows(self, request: web.Request) -> web.Response:
        _check_supported(request, _UNSUPPORTED)
        selector = parse_selector(request.query.get("labelSelector", ""))
        workflows = self._content.store.select(request.match_info["namespace"], selector)
        return self._page(request, f"{GROUP}/v1alpha1", "WorkflowList", [workflow.body for workflow in workflows])

    async def _list_pods(self, request: web.Request) -> web.Response:
        _check_supported(request, _UNSUPPORTED - {"fieldSelector"})
        selector = parse_selector(request.query.get("labelSelector", ""))
        fields = request.query.get("fieldSelector", "")
        pods = self._content.store.pods.select(request.match_info["namespace"], selector, fields)
        return self._page(request, "v1", "PodList", [pod.body() for pod in pods])

    def _page(self, request: web.Request, version: str, kind: str, items: list[dict[str, Any]]) -> web.Response:
        limit = _limit(request)
        if request.query.get("continue"):
            page, token = self._pager.following(request.query["continue"], limit)
        else:
            page, token = self._pager.first(items, limit)
        return web.json_response(_list_reply(version, kind, page, {"continue": token} if token else {}))

    async def _create_workflow(self, request: web.Request) -> web.Response:
        body = await _json_object(request)
        workflow = self._content.store.create(request.match_info["namespace"], body)
        self._content.controller.start(workflow)
        return web.json_response(workflow.body, status=201)

    def _find(self, request: web.Request) -> Workflow:
        return self._content.store.get(request.match_info["namespace"], request.match_info["name"])

    async def _get_workflow(self, request: web.Request) -> web.Response:
        return web.json_response(self._find(request).body)

    async def _delete_workflow(self, request: web.Request) -> web.Response:
        workflow = self._find(request)
        self._content.store.delete(workflow)
        details = {"name": workflow.record.name, "group": GROUP, "kind": "workflows"}
        return web.json_response({"kind": "Status", "apiVersion": "v1", "status": "Success", "details": details})


def _list_reply(
    version: str, kind: str, items: list[dict[str, Any]], metadata: dict[str, str] | None = None
) -> dict[str, Any]:
    list_metadata = {"resourceVersion": "1", **(metadata or {})}
    return {"kind": kind, "apiVersion": version, "metadata": list_metadata, "items": items}


def _check_supported(request: web.Request, unsupported: set[str]) -> None:
    if used := sorted(parameter for parameter in unsupported if request.query.get(parameter)):
        message = f"the sandbox does not support {', '.join(used)}"
        raise bad_request(message)


def _limit(request: web.Request) -> int:
    text = request.query.get("limit") or "0"
    if not text.isdecimal():
        message = f"strconv.ParseInt: parsing {text!r}: invalid syntax"
        raise bad_request(message)
    return int(text)


async def _json_object(request: web.Request) -> dict[str, Any]:
    try:
        body = await request.json()
    except ValueError as error:
        message = f"the object provided is unrecognized: {error}"
        raise bad_request(message) from error
    if not isinstance(body, dict):
        message = "the object provided is unrecognized: not a JSON object"
        raise bad_request(message)
    return body


async def _path_not_found(request: web.Request) -> web.Response:
    raise not_found("the server could not find the requested resource", request.path)
