# SPDX-License-Identifier: GPL-3.0-or-later
"""thoth-common's `OpenShift`, with what it lacks: timeouts, kept connections and templates, marks, a cheap count.

Its `schedule_*` functions are used as they are, to turn arguments into the parameters of a template. What they then
ask of the cluster goes through here.
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
from investigator.argo.pending_count import count_pending
from investigator.argo.ttl_cache import TTLCache
from investigator.resilience.http_errors import is_refusal

_LOGGER = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class ClusterPolicy:
    """How the cluster's API is used; times in seconds."""

    connections: int  # kept alive: one for each thread that makes calls
    timeout: float = 10.0  # calls take milliseconds; what takes this long will not answer any more
    template_ttl: float = 300.0  # templates change with a deployment, some times a week
    solvers_ttl: float = 5.0  # every message about a package asks for them; a new solver is in use at once all the same
    page: int = 500  # as kubectl does: a page of workflows without their specs is some 200 kB


@dataclass(frozen=True, slots=True)
class Namespaces:
    """Where templates are, and where workflows go."""

    infra: str
    middletier: str
    backend: str


@dataclass(frozen=True, slots=True)
class PreparedWorkflow:
    """A workflow that is ready to be created."""

    namespace: str
    body: dict[str, Any]


class TemplateError(Exception):
    """The infra namespace does not hold the template as it should: the operator's to put right, not the message's."""


class ClusterClient(OpenShift):
    """Drafts and creates workflows; every method blocks, and may be used by many threads."""

    def __init__(
        self,
        credentials: Credentials,
        policy: ClusterPolicy,
        namespaces: Namespaces,
        *,
        api: str | None = None,
        template_api: str | None = None,
    ) -> None:
        """Prepare everything without asking the cluster.

        Unlike the constructor of the base, which asks a lot without any timeout and reads the environment. What is set
        here is all that scheduling uses; the rest of the base is not for use.

        Args:
            login: where the API is and who we are.
            policy: how it is used.
            namespaces: what is where.
            api: URL of the API, if that is not the login's.
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
        self._page = policy.page
        self._templates = TTLCache(self._fetch_template, policy.template_ttl)
        self._solvers = TTLCache(self._fetch_solvers, policy.solvers_ttl)

    def prepare(self, method: str, arguments: dict[str, Any]) -> PreparedWorkflow:
        """Have a ``schedule_*`` method make a workflow, without creating it.

        Raises:
            ApiError, urllib3.exceptions.HTTPError: what the API said, or that it could not be asked.
            TemplateError: the template is not as it should be.
            ThothCommonExceptionError, ValueError, TypeError, LookupError: the arguments are wrong.
        """
        self._thread.drafting = drafting = _CapturingManager(self)
        getattr(self, method)(**arguments)
        return drafting.drafts[0]

    @property
    def workflow_manager(self) -> WorkflowManager:
        """What the ``schedule_*`` methods submit workflows to: each thread has its own."""
        return cast("WorkflowManager", self._thread.drafting)

    def create(self, draft: PreparedWorkflow, trace_metadata: TraceMetadata) -> bool:
        """Create a workflow; False if there is one of that name already. Raises what `draft` does."""
        metadata = dict(draft.body.get("metadata") or {})
        for kind, own in (("labels", trace_metadata.labels), ("annotations", trace_metadata.annotations)):
            metadata[kind] = {**(metadata.get(kind) or {}), **own}
        try:
            self._api.create(self._workflows(draft.namespace), {**draft.body, "metadata": metadata})
        except ApiError as error:
            # With other reasons nothing was created: "Conflict", say, if two creations met at the namespace's quota.
            if error.status == HTTPStatus.CONFLICT and error.reason in ("AlreadyExists", ""):
                return False
            raise
        return True

    def count_pending(self, namespace: str, enough: int) -> int:
        """Count the workflows of a namespace that have not started; stops soon where there are more than ``enough``."""
        return count_pending(self._api, self._workflows(namespace), page=self._page, enough=enough)

    def get_solver_names(self) -> list[str]:
        """Give the names of the installed solvers, each once."""
        return list(self._solvers.get(self.infra_namespace))

    def get_configmap(self, configmap_id: str, namespace: str) -> dict[str, Any]:
        """Fetch a ConfigMap; one without data has empty data."""
        config_map = self._api.get(
            f"{self._host}/api/v1/namespaces/{quote(namespace)}/configmaps/{quote(configmap_id)}"
        )
        return {**config_map, "data": config_map.get("data") or {}}

    def version(self) -> str:
        """Ask the API for its version: shows that it can be reached."""
        return str(self._api.get(f"{self._host}/version").get("gitVersion", "unknown"))

    def close(self) -> None:
        """Close the connections to the API; call it after the last call."""
        self._api.close()

    @staticmethod
    def set_template_parameters(template: dict[str, Any], **parameters: object) -> None:
        """Set parameters of a template like the base does, but keep the values out of the logs: some are passwords."""
        declared = {entry["name"]: entry for entry in template.setdefault("parameters", [])}
        for name, value in parameters.items():
            if name not in declared:
                _warn_undeclared(template["metadata"]["name"], name)
                template["parameters"].append(declared.setdefault(name, {"name": name}))
            declared[name]["value"] = "" if value is None else str(value)

    def process(self, namespace: str, selector: str, parameters: dict[str, Any]) -> dict[str, Any]:
        """Process the one template that the selector finds, fetched anew if the kept one is refused and out of date."""
        place = (namespace, selector)
        template = self._templates.get(place)
        try:
            return self._process(namespace, template, parameters)
        except ApiError as error:
            latest = self._templates.get_if_changed(place, template) if is_refusal(error.status) else None
            if latest is None:
                raise
            return self._process(namespace, latest, parameters)

    def _process(self, namespace: str, template: str, parameters: dict[str, Any]) -> dict[str, Any]:
        filled = json.loads(template)  # each call has its own: the base's functions change what they are given
        self.set_template_parameters(filled, **parameters)
        url = f"{self._template_host}/apis/template.openshift.io/v1/namespaces/{quote(namespace)}/processedtemplates"
        return self._api.post(url, filled)

    def _fetch_template(self, place: tuple[str, str]) -> str:
        namespace, selector = place
        url = f"{self._host}/apis/template.openshift.io/v1/namespaces/{quote(namespace)}/templates"
        items = self._api.get(url, {"labelSelector": selector}).get("items") or []
        if len(items) != 1:
            raise TemplateError(
                f"there are {len(items)} templates with label {selector} in namespace {namespace}, not 1"
            )
        kinds = {"kind": "Template", "apiVersion": "template.openshift.io/v1"}  # left out in a list's items
        return json.dumps({**kinds, **items[0]})

    def _fetch_solvers(self, _: str | None) -> list[str]:
        return list(dict.fromkeys(filter(None, super().get_solver_names())))

    def _workflows(self, namespace: str) -> str:
        return f"{self._host}/apis/argoproj.io/v1alpha1/namespaces/{quote(namespace)}/workflows"


class _CapturingManager(WorkflowManager):
    """Takes down what a `schedule_*` function would submit.

    The base turns each workflow into Argo's generated models and back, which takes ten times the rest of our work and
    drops fields that these models do not know.
    """

    openshift: ClusterClient

    def __init__(self, cluster: ClusterClient) -> None:
        self.openshift = cluster
        self.drafts: list[PreparedWorkflow] = []

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
        """Take down the workflow instead."""
        del workflow_limit
        processed = self.openshift.process(namespace, label_selector, template_parameters or {})
        objects = processed.get("objects") or []
        if not objects or not isinstance(objects[0], dict):
            raise TemplateError(f"the template with label {label_selector} in namespace {namespace} has no workflow")
        _set_arguments(objects[0], workflow_parameters or {})
        self.drafts.append(PreparedWorkflow(workflow_namespace or namespace, objects[0]))
        return None


def _set_arguments(workflow: dict[str, Any], parameters: dict[str, Any]) -> None:
    arguments = workflow.setdefault("spec", {}).setdefault("arguments", {})
    others = [entry for entry in arguments.get("parameters") or () if entry["name"] not in parameters]
    arguments["parameters"] = [{"name": name, "value": value} for name, value in parameters.items()] + others


@cache
def _warn_undeclared(template: str, parameter: str) -> None:
    _LOGGER.warning("Template %s does not declare parameter %s, which is added to it", template, parameter)
