# SPDX-License-Identifier: GPL-3.0-or-later
"""The Argo workflows in the namespaces of the cluster stand-in, as the API server stores them."""

import itertools
import time
import uuid
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any, Literal

from sandbox.label_selectors import Requirement, matches
from sandbox.metadata_rules import check_metadata
from sandbox.pod_store import PodStore
from sandbox.statuses import already_exists, bad_request, invalid, not_found

if TYPE_CHECKING:
    from sandbox.quotas import Quota

__all__ = ["COMPLETED_LABEL", "GROUP", "PHASE_LABEL", "CreatedWorkflow", "Phase", "Workflow", "WorkflowStore"]

GROUP = "argoproj.io"
PHASE_LABEL = "workflows.argoproj.io/phase"
COMPLETED_LABEL = "workflows.argoproj.io/completed"

Phase = Literal["Pending", "Running", "Succeeded", "Failed", "Error"]


@dataclass(frozen=True, slots=True)
class CreatedWorkflow:
    """A workflow as it was created; the record remains after the workflow's deletion."""

    kind: str  # the entry point, which is the workflow type in the sandbox's templates
    name: str
    namespace: str
    parameters: dict[str, str]
    labels: dict[str, str]
    annotations: dict[str, str]
    created: float  # seconds since the epoch


@dataclass(slots=True, eq=False)
class Workflow:
    """A workflow that exists in a namespace; `body` is the object that the API returns."""

    body: dict[str, Any]
    record: CreatedWorkflow

    @property
    def labels(self) -> dict[str, str]:
        """The current labels, including Argo's own."""
        labels: dict[str, str] = self.body["metadata"]["labels"]
        return labels

    @property
    def phase(self) -> str | None:
        """Argo's phase; None until Argo has seen the workflow."""
        return self.labels.get(PHASE_LABEL)


@dataclass
class _Namespace:
    by_name: dict[str, Workflow] = field(default_factory=dict)
    by_phase: dict[str | None, dict[str, Workflow]] = field(default_factory=dict)

    def add(self, workflow: Workflow) -> None:
        self.by_name[workflow.record.name] = workflow
        self.by_phase.setdefault(workflow.phase, {})[workflow.record.name] = workflow

    def remove(self, workflow: Workflow) -> None:
        del self.by_name[workflow.record.name]
        del self.by_phase[workflow.phase][workflow.record.name]


class WorkflowStore:
    """Workflows by namespace and name, with an index by phase that makes filtered lists cheap in full namespaces."""

    def __init__(self, namespaces: Iterable[str]) -> None:
        """Start with these namespaces, all empty."""
        self._namespaces = {namespace: _Namespace() for namespace in namespaces}
        self._versions = itertools.count(1)
        self.created: list[CreatedWorkflow] = []
        self.pods = PodStore()
        self.quotas: dict[str, Quota] = {}  # by namespace

    def check_namespace(self, namespace: str) -> None:
        """Raise a Refusal with status 404 if the namespace does not exist."""
        if namespace not in self._namespaces:
            raise not_found("namespaces", namespace)

    def create(self, namespace: str, body: dict[str, Any]) -> Workflow:
        """Add a workflow and return it; raises a Refusal with the API server's status: 400, 403, 404, 409 or 422."""
        self.check_namespace(namespace)
        metadata = _validated_metadata(body, namespace)
        existing = self._namespaces[namespace].by_name
        if quota := self.quotas.get(namespace):  # the API server asks the quota before it looks for the name
            quota.check(metadata["name"], len(existing))
        if metadata["name"] in existing:
            raise already_exists("workflows", metadata["name"], GROUP)
        workflow = self._add({**body, "metadata": metadata})
        self.created.append(workflow.record)
        return workflow

    def get(self, namespace: str, name: str) -> Workflow:
        """Return a workflow; raises a Refusal with status 404 if there is none with that name."""
        workflow = self._namespaces.get(namespace, _Namespace()).by_name.get(name)
        if workflow is None:
            raise not_found("workflows", name, GROUP)
        return workflow

    def delete(self, workflow: Workflow) -> None:
        """Remove a workflow, which frees its name; does nothing if it was deleted already."""
        namespace = self._namespaces[workflow.record.namespace]
        if namespace.by_name.get(workflow.record.name) is workflow:
            namespace.remove(workflow)
            self.pods.delete(workflow.record.namespace, workflow.record.name)

    def select(self, namespace: str, selector: tuple[Requirement, ...] = ()) -> list[Workflow]:
        """Return the workflows whose labels satisfy the selector, sorted by name; empty for an unknown namespace."""
        groups = self._namespaces.get(namespace, _Namespace()).by_phase.items()
        phase_requirements = [requirement for requirement in selector if requirement.key == PHASE_LABEL]
        others = tuple(requirement for requirement in selector if requirement.key != PHASE_LABEL)
        found = (
            workflow
            for phase, workflows in groups
            if all(requirement.accepts(phase) for requirement in phase_requirements)
            for workflow in workflows.values()
            if matches(others, workflow.labels)
        )
        return sorted(found, key=lambda workflow: workflow.record.name)

    def set_phase(self, workflow: Workflow, phase: Phase, message: str = "") -> None:
        """Set the phase of a workflow, with Argo's labels and times; does nothing if the workflow was deleted."""
        namespace = self._namespaces[workflow.record.namespace]
        if namespace.by_name.get(workflow.record.name) is not workflow:
            return
        namespace.remove(workflow)
        _apply_phase(workflow.body, phase, message)
        workflow.body["metadata"]["resourceVersion"] = str(next(self._versions))
        namespace.add(workflow)

    def seed(self, namespace: str, count: int, phase: Phase | None = None, prefix: str = "seeded") -> list[Workflow]:
        """Add `count` small workflows in a phase, None for not seen by Argo, without a record in `created`."""
        self.check_namespace(namespace)
        names = (f"{prefix}-{next(self._versions):09d}" for _ in range(count))
        workflows = [self._add(_minimal_body(namespace, name)) for name in names]
        for workflow in workflows if phase else ():
            self.set_phase(workflow, phase or "Pending")
        return workflows

    def counts(self) -> dict[str, dict[str, int]]:
        """Return the number of workflows by namespace and phase; "" stands for workflows that Argo has not seen."""
        return {
            name: {phase or "": len(workflows) for phase, workflows in namespace.by_phase.items() if workflows}
            for name, namespace in self._namespaces.items()
        }

    def clear(self) -> None:
        """Delete all workflows with their pods, the quotas, and the records in `created`."""
        self._namespaces = {namespace: _Namespace() for namespace in self._namespaces}
        self.created.clear()
        self.pods.clear()
        self.quotas.clear()

    def _add(self, body: dict[str, Any]) -> Workflow:
        metadata = body["metadata"]
        now = time.time()
        metadata.update(
            uid=str(uuid.uuid4()), resourceVersion=str(next(self._versions)), creationTimestamp=_timestamp(now)
        )
        workflow = Workflow(body, _record(body, now))
        self._namespaces[metadata["namespace"]].add(workflow)
        return workflow


def _validated_metadata(body: dict[str, Any], namespace: str) -> dict[str, Any]:
    """Return the metadata of a new workflow, with its name, after the checks of the API server."""
    if body.get("kind") != "Workflow" or body.get("apiVersion") != f"{GROUP}/v1alpha1":
        message = f"the object provided is unrecognized: {body.get('apiVersion')}, Kind={body.get('kind')}"
        raise bad_request(message)
    metadata = dict(body.get("metadata") or {})
    if metadata.setdefault("namespace", namespace) != namespace:
        message = "the namespace of the provided object does not match the namespace sent on the request"
        raise bad_request(message)
    metadata["labels"] = dict(metadata.get("labels") or {})
    if not metadata.get("name") and metadata.get("generateName"):
        metadata["name"] = f"{metadata['generateName']}{uuid.uuid4().hex[:5]}"
    if not metadata.get("name"):
        raise invalid("Workflow", GROUP, "", "metadata.name", "Required value: name or generateName is required")
    check_metadata("Workflow", GROUP, metadata)
    return metadata


def _record(body: dict[str, Any], now: float) -> CreatedWorkflow:
    metadata = body["metadata"]
    spec = body.get("spec") or {}
    arguments = (spec.get("arguments") or {}).get("parameters") or []
    return CreatedWorkflow(
        kind=spec.get("entrypoint", ""),
        name=metadata["name"],
        namespace=metadata["namespace"],
        parameters={argument["name"]: argument.get("value") for argument in arguments},
        labels=dict(metadata["labels"]),
        annotations=dict(metadata.get("annotations") or {}),
        created=now,
    )


def _apply_phase(body: dict[str, Any], phase: Phase, message: str) -> None:
    labels: dict[str, str] = body["metadata"]["labels"]
    status = dict(body.get("status") or {})
    finished = phase not in ("Pending", "Running")
    now = _timestamp(time.time())
    labels[PHASE_LABEL] = status["phase"] = phase
    if phase != "Pending":
        labels[COMPLETED_LABEL] = "true" if finished else "false"
        status["startedAt"] = status.get("startedAt") or now
    if finished:
        status["finishedAt"] = now
    body["status"] = {**status, **({"message": message} if message else {})}


def _minimal_body(namespace: str, name: str) -> dict[str, Any]:
    metadata = {"name": name, "namespace": namespace, "labels": {"app": "thoth"}}
    spec = {"entrypoint": "seeded", "templates": [{"name": "seeded", "container": {"image": "seeded"}}]}
    status = {"startedAt": None, "finishedAt": None}  # as Argo's own clients send them
    version = f"{GROUP}/v1alpha1"
    return {"apiVersion": version, "kind": "Workflow", "metadata": metadata, "spec": spec, "status": status}


def _timestamp(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
