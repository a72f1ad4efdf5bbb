# SPDX-License-Identifier: GPL-3.0-or-later
"""thoth-common's `OpenShift` with timeouts, persistent connections, cached templates, annotations and a cheap count.

Its `schedule_*` functions turn arguments into the parameters of a template, unchanged; the requests to the cluster
that they cause are made here.
"""

import json
import logging
import threading
from dataclasses import dataclass
from functools import cache
from http import HTTPStatus
from typing import Any, cast
from urllib.parse import quote

from thoth.common import OpenShift
from thoth.common.workflows import WorkflowManager

from investigator.argo.credentials import Credentials
from investigator.argo.http import ApiError, ClusterApi
from investigator.argo.labels import TraceMetadata
from investigator.argo.pending_count import PendingCount
from investigator.argo.ttl_cache import TTLCache
from investigator.resilience.http_errors import is_refusal

_LOGGER = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class ClusterPolicy:
    """How the client uses the cluster's API; times in seconds."""

    connections: int  # that stay open: one for each thread that makes calls
    timeout: float = 10.0  # calls take milliseconds; a call that takes this long gets no response any more
    template_ttl: float = 300.0  # templates change with a deployment, a few times a week
    solvers_ttl: float = 5.0  # every message about a package needs them; a new solver is still used almost at once
    page_size: int = 500  # as kubectl: a page of workflows without their specs has some 200 kB
    counts_unstarted_pods: bool = True  # Argo sets workflows Running before their pods start


@dataclass(frozen=True, slots=True)
class Namespaces:
    """The namespace of the templates, and those of the workflows."""

    infra: str
    middletier: str
    backend: str


@dataclass(frozen=True, slots=True)
class PreparedWorkflow:
    """A processed template: a workflow that can be created."""

    namespace: str
    body: dict[str, Any]


class TemplateError(Exception):
    """The template in the infra namespace is missing, ambiguous or invalid: a fault of the deployment."""


class ClusterClient(OpenShift):
    """Prepares and creates workflows; every method blocks, and may be used by many threads."""

    def __init__(
        self,
        credentials: Credentials,
        policy: ClusterPolicy,
        namespaces: Namespaces,
        *,
        api: str | None = None,
        template_api: str | None = None,
    ) -> None:
        """Set up the client without any request to the cluster.

        The constructor of the base is not called: it makes many requests without a timeout and reads the environment.
        Only the attributes that scheduling needs are set here; do not use other methods of the base.

        Args:
            credentials: the URL of the API, and the token.
            policy: how to use the API.
            namespaces: the namespaces of templates and workflows.
            api: URL of the API, unless it is that of the credentials.
            template_api: URL of the API that processes templates, with the same default.
        """
        self.namespaces = namespaces
        self.infra_namespace = namespaces.infra
        self.middletier_namespace = namespaces.middletier
        self.backend_namespace = namespaces.backend
        self._thread = threading.local()
        self._api = ClusterApi(credentials, connections=policy.connections, timeout=policy.timeout)
        self._host = (api or credentials.host).rstrip("/")
        self._template_host = (template_api or credentials.host).rstrip("/")
        pods_url = self._pods_url if policy.counts_unstarted_pods else None
        self._pending = PendingCount(self._api, self._workflows_url, pods_url, policy.page_size)
        self._templates = TTLCache(self._fetch_template, policy.template_ttl)
        self._solvers = TTLCache(self._fetch_solvers, policy.solvers_ttl)

    def prepare(self, method: str, arguments: dict[str, Any]) -> PreparedWorkflow:
        """Return the workflow that a ``schedule_*`` method makes, without creating it.

        Raises:
            ApiError, urllib3.exceptions.HTTPError: the API refused a request, or did not answer.
            TemplateError: the template is missing, ambiguous or invalid.
            ThothCommonExceptionError, ValueError, TypeError, LookupError: the arguments are invalid.
        """
        self._thread.manager = manager = _CapturingManager(self)
        getattr(self, method)(**arguments)
        return manager.captured[0]

    @property
    def workflow_manager(self) -> WorkflowManager:
        """The object that the ``schedule_*`` methods submit workflows to; each thread has its own."""
        return cast("WorkflowManager", self._thread.manager)

    def create(self, workflow: PreparedWorkflow, trace: TraceMetadata) -> bool:
        """Create a workflow; return False if one of that name exists. Raises the API errors of `prepare`."""
        metadata = dict(workflow.body.get("metadata") or {})
        for key, added in (("labels", trace.labels), ("annotations", trace.annotations)):
            metadata[key] = {**(metadata.get(key) or {}), **added}
        try:
            self._api.create(self._workflows_url(workflow.namespace), {**workflow.body, "metadata": metadata})
        except ApiError as error:
            # A 409 with another reason has created nothing, e.g. "Conflict" when two creations meet at a quota.
            if error.status == HTTPStatus.CONFLICT and error.reason in ("AlreadyExists", ""):
                return False
            raise
        return True

    def count_pending(self, namespace: str, stop_above: int) -> int:
        """Count the workflows of a namespace that have not started; the count ends soon after ``stop_above``."""
        return self._pending.count(namespace, stop_above)

    def get_solver_names(self) -> list[str]:
        """Return the names of the installed solvers without duplicates, from a TTL cache."""
        return list(self._solvers.get(self.infra_namespace))

    def get_configmap(self, configmap_id: str, namespace: str) -> dict[str, Any]:
        """Fetch a ConfigMap; if it has no data, add empty data."""
        config_map = self._api.get(
            f"{self._host}/api/v1/namespaces/{quote(namespace)}/configmaps/{quote(configmap_id)}"
        )
        return {**config_map, "data": config_map.get("data") or {}}

    def version(self) -> str:
        """Return the version of the API; shows that the worker can reach it."""
        return str(self._api.get(f"{self._host}/version").get("gitVersion", "unknown"))

    def close(self) -> None:
        """Close the connections to the API; call it after the last call."""
        self._api.close()

    @staticmethod
    def set_template_parameters(template: dict[str, Any], **parameters: object) -> None:
        """Set parameters of a template like the base does, but do not log the values: some are passwords."""
        declared = {entry["name"]: entry for entry in template.setdefault("parameters", [])}
        for name, value in parameters.items():
            if name not in declared:
                _warn_undeclared(template["metadata"]["name"], name)
                template["parameters"].append(declared.setdefault(name, {"name": name}))
            declared[name]["value"] = "" if value is None else str(value)

    def process(self, namespace: str, selector: str, parameters: dict[str, Any]) -> dict[str, Any]:
        """Process the only template that the selector matches.

        If the API refuses the cached template and the current one differs, process the current one.
        """
        key = (namespace, selector)
        template = self._templates.get(key)
        try:
            return self._process(namespace, template, parameters)
        except ApiError as error:
            current = self._templates.get_if_changed(key, template) if is_refusal(error.status) else None
            if current is None:
                raise
            return self._process(namespace, current, parameters)

    def _process(self, namespace: str, template: str, parameters: dict[str, Any]) -> dict[str, Any]:
        filled = json.loads(template)  # a copy for each call, because the base's functions modify it
        self.set_template_parameters(filled, **parameters)
        url = f"{self._template_host}/apis/template.openshift.io/v1/namespaces/{quote(namespace)}/processedtemplates"
        return self._api.post(url, filled)

    def _fetch_template(self, key: tuple[str, str]) -> str:
        namespace, selector = key
        url = f"{self._host}/apis/template.openshift.io/v1/namespaces/{quote(namespace)}/templates"
        items = self._api.get(url, {"labelSelector": selector}).get("items") or []
        if len(items) != 1:
            raise TemplateError(
                f"there are {len(items)} templates with label {selector} in namespace {namespace}, not 1"
            )
        type_meta = {"kind": "Template", "apiVersion": "template.openshift.io/v1"}  # the items of a list lack it
        return json.dumps({**type_meta, **items[0]})

    def _fetch_solvers(self, _: str | None) -> list[str]:
        return list(dict.fromkeys(filter(None, super().get_solver_names())))

    def _workflows_url(self, namespace: str) -> str:
        return f"{self._host}/apis/argoproj.io/v1alpha1/namespaces/{quote(namespace)}/workflows"

    def _pods_url(self, namespace: str) -> str:
        return f"{self._host}/api/v1/namespaces/{quote(namespace)}/pods"


class _CapturingManager(WorkflowManager):
    """A workflow manager that captures the workflow which a `schedule_*` function would submit.

    The base converts each workflow to Argo's generated models and back. That takes ten times as long as the rest of
    the work, and drops fields that the models lack.
    """

    openshift: ClusterClient

    def __init__(self, cluster: ClusterClient) -> None:
        self.openshift = cluster
        self.captured: list[PreparedWorkflow] = []

    def submit_workflow_from_template(  # noqa: PLR0913 - the signature is the base's
        self,
        namespace: str,
        label_selector: str,
        *,
        template_parameters: dict[str, str] | None = None,
        workflow_parameters: dict[str, Any] | None = None,
        workflow_namespace: str | None = None,
        workflow_limit: int | None = None,
    ) -> str | None:
        """Capture the workflow instead of submitting it."""
        del workflow_limit
        processed = self.openshift.process(namespace, label_selector, template_parameters or {})
        objects = processed.get("objects") or []
        if not objects or not isinstance(objects[0], dict):
            raise TemplateError(f"the template with label {label_selector} in namespace {namespace} has no workflow")
        _set_arguments(objects[0], workflow_parameters or {})
        self.captured.append(PreparedWorkflow(workflow_namespace or namespace, objects[0]))
        return None


def _set_arguments(workflow: dict[str, Any], parameters: dict[str, Any]) -> None:
    arguments = workflow.setdefault("spec", {}).setdefault("arguments", {})
    others = [entry for entry in arguments.get("parameters") or () if entry["name"] not in parameters]
    arguments["parameters"] = [{"name": name, "value": value} for name, value in parameters.items()] + others


@cache
def _warn_undeclared(template: str, parameter: str) -> None:
    _LOGGER.warning(
        "Added a parameter that the template does not declare template=%s parameter=%s", template, parameter
    )
