# SPDX-License-Identifier: GPL-3.0-or-later
"""thoth-common's `OpenShift` with timeouts, persistent connections, cached templates, annotations and a cheap count.

Its `schedule_*` functions turn arguments into the parameters of a template, unchanged; the requests to the cluster
that they cause are made here.
"""

import json
import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, cast

from thoth.common import OpenShift
from thoth.common.workflows import WorkflowManager

from investigator.argo.api_urls import ApiUrls
from investigator.argo.capture import CapturingManager, PreparedWorkflow
from investigator.argo.creation import create_workflow
from investigator.argo.credentials import Credentials
from investigator.argo.http import ApiError, ClusterApi
from investigator.argo.labels import TraceMetadata
from investigator.argo.parameters import SizeLimits, check_workflow_size
from investigator.argo.pending_count import PendingCount
from investigator.argo.permissions import Permission, missing
from investigator.argo.templates import (
    TEMPLATE_GROUP,
    DeploymentError,
    TemplateError,
    set_parameters,
    the_template,
)
from investigator.argo.ttl_cache import TTLCache
from investigator.argo.workflow_creation import CreateResult

__all__ = ["ClusterClient", "ClusterPolicy", "DeploymentError", "Namespaces", "PreparedWorkflow", "TemplateError"]

# The API may refuse the cached template by these, and accept the current one.
_ABOUT_TEMPLATE = {HTTPStatus.BAD_REQUEST, HTTPStatus.NOT_FOUND, HTTPStatus.UNPROCESSABLE_ENTITY}


@dataclass(frozen=True, slots=True)
class ClusterPolicy:
    """How the client uses the cluster's API; times in seconds."""

    connections: int  # that stay open: one for each thread that makes calls
    timeout: float = 10.0  # calls take milliseconds; a call that takes this long gets no response any more
    template_ttl: float = 300.0  # templates change with a deployment, a few times a week
    solvers_ttl: float = 5.0  # every message about a package needs them; a new solver is still used almost at once
    page_size: int = 500  # as kubectl: a page of workflows without their specs has some 200 kB
    counts_unstarted_pods: bool = True  # Argo sets workflows Running before their pods start
    sizes: SizeLimits = field(default_factory=SizeLimits)


@dataclass(frozen=True, slots=True)
class Namespaces:
    """The namespace of the templates, and those of the workflows."""

    infra: str
    middletier: str
    backend: str


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
        self._sizes = policy.sizes
        self._api = ClusterApi(credentials, connections=policy.connections, timeout=policy.timeout)
        self._urls = ApiUrls(credentials, api, template_api)
        pods_url = self._urls.pods if policy.counts_unstarted_pods else None
        self._pending = PendingCount(self._api, self._urls.workflows, pods_url, policy.page_size)
        self._templates = TTLCache(self._fetch_template, policy.template_ttl)
        self._solvers = TTLCache(self._fetch_solvers, policy.solvers_ttl)

    def prepare(self, method: str, arguments: dict[str, Any]) -> PreparedWorkflow:
        """Return the workflow that a ``schedule_*`` method makes, without creating it.

        Raises:
            ApiError, urllib3.exceptions.HTTPError: the API refused a request, or did not answer.
            DeploymentError: the template is missing, ambiguous or invalid.
            NoWorkflowError: the processed template contains no workflow.
            ThothCommonExceptionError, ValueError, TypeError, LookupError: the arguments are invalid.
            ParameterError: a parameter can't be passed to a workflow; no request was made.
        """
        self._thread.manager = manager = CapturingManager(self, self.process, self._sizes)
        getattr(self, method)(**arguments)
        return manager.captured[0]

    @property
    def workflow_manager(self) -> WorkflowManager:
        """The object that the ``schedule_*`` methods submit workflows to; each thread has its own."""
        return cast("WorkflowManager", self._thread.manager)

    def create(self, workflow: PreparedWorkflow, trace: TraceMetadata) -> CreateResult:
        """Create a workflow, or find that it exists.

        Raises the API errors of `prepare`, also if no answer shows that the workflow exists. Raises ParameterError for
        one that is too large, and AnotherOwnerError if that of its name belongs to another request.
        """
        metadata = dict(workflow.body.get("metadata") or {})
        for key, added in (("labels", trace.labels), ("annotations", trace.annotations)):
            metadata[key] = {**(metadata.get(key) or {}), **added}
        body = {**workflow.body, "metadata": metadata}
        check_workflow_size(body, workflow.parameters, self._sizes.workflow)
        url, is_derived = self._urls.workflows(workflow.namespace), trace.has_derived_name
        return create_workflow(self._api, url, body, has_derived_name=is_derived, subject=workflow.subject)

    def count_pending(self, namespace: str, stop_above: int) -> int:
        """Count the workflows of a namespace that have not started; the count ends soon after ``stop_above``."""
        return self._pending.count(namespace, stop_above)

    def get_solver_names(self) -> list[str]:
        """Return the names of the installed solvers without duplicates, from a TTL cache.

        Raises:
            ApiError, urllib3.exceptions.HTTPError: the API refused the request, or did not answer.
            DeploymentError: the ConfigMap has no solvers, as while it is replaced.
        """
        return list(self._solvers.get(self.infra_namespace))

    def get_configmap(self, configmap_id: str, namespace: str) -> dict[str, Any]:
        """Fetch a ConfigMap; if it has no data, add empty data."""
        config_map = self._api.get(self._urls.config_map(namespace, configmap_id), kind="ConfigMap", name=configmap_id)
        data = config_map.get("data")
        return {**config_map, "data": data if isinstance(data, dict) else {}}

    def version(self) -> str:
        """Return the version of the API; shows that the worker can reach it."""
        return str(self._api.get(f"{self._urls.host}/version", kind="").get("gitVersion", "unknown"))

    def missing_permissions(self, needed: Iterable[Permission]) -> list[Permission]:
        """Return the permissions that the worker lacks; raises the API errors of `prepare`."""
        groups: dict[str, list[Permission]] = {self._urls.host: [], self._urls.template_host: []}
        for permission in needed:
            groups[self._urls.template_host if permission.group == TEMPLATE_GROUP else self._urls.host].append(
                permission
            )
        return [each for url, permissions in groups.items() for each in missing(self._api, url, permissions)]

    def close(self) -> None:
        """Close the connections to the API; call it after the last call."""
        self._api.close()

    @staticmethod
    def set_template_parameters(template: dict[str, Any], **parameters: object) -> None:
        """Set parameters of a template like the base does, but do not log the values: some are passwords."""
        set_parameters(template, parameters)

    def process(self, namespace: str, selector: str, parameters: Mapping[str, object]) -> dict[str, Any]:
        """Process the only template that the selector matches.

        If the API refuses the cached template and the current one differs, process the current one.
        """
        key = (namespace, selector)
        template = self._templates.get(key)
        try:
            return self._process(namespace, template, parameters)
        except ApiError as error:
            current = self._templates.get_if_changed(key, template) if error.status in _ABOUT_TEMPLATE else None
            if current is None:
                raise
            return self._process(namespace, current, parameters)

    def _process(self, namespace: str, template: str, parameters: Mapping[str, object]) -> dict[str, Any]:
        filled = json.loads(template)  # a copy for each call, because the base's functions modify it
        self.set_template_parameters(filled, **parameters)
        subject = f"template {filled['metadata']['name']}"
        return self._api.post(
            self._urls.templates(namespace, "processedtemplates"), filled, kind="*Template", subject=subject
        )

    def _fetch_template(self, key: tuple[str, str]) -> str:
        namespace, selector = key
        url = self._urls.templates(namespace, "templates")
        template = the_template(self._api.get(url, {"labelSelector": selector}, kind="*List"), namespace, selector)
        return json.dumps(template)

    def _fetch_solvers(self, _: str | None) -> list[str]:
        names = list(dict.fromkeys(filter(None, super().get_solver_names())))
        if not names:
            raise DeploymentError(f"the ConfigMap solvers in namespace {self.infra_namespace} lists no solver")
        return names
