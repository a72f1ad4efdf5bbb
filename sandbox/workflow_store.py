# SPDX-License-Identifier: GPL-3.0-or-later
"""The Argo workflows of the stand-in's namespaces, as the API server keeps them."""

import itertools
import time
import uuid
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import Any, Literal

from sandbox.label_selectors import Requirement, matches
from sandbox.metadata_rules import check_metadata
from sandbox.statuses import already_exists, bad_request, invalid, not_found

__all__ = ["COMPLETED_LABEL", "GROUP", "PHASE_LABEL", "CreatedWorkflow", "Phase", "Workflow", "WorkflowStore"]

GROUP = "argoproj.io"
PHASE_LABEL = "workflows.argoproj.io/phase"
COMPLETED_LABEL = "workflows.argoproj.io/completed"

Phase = Literal["Pending", "Running", "Succeeded", "Failed", "Error"]


@dataclass(frozen=True, slots=True)
class CreatedWorkflow:
    """A workflow as it was created; remembered when the workflow is long deleted."""

    kind: str  # the entry point: the sandbox's templates have the workflow type there
    name: str
    namespace: str
    parameters: dict[str, str]
    labels: dict[str, str]
    annotations: dict[str, str]
    created: float  # seconds since the epoch


@dataclass(slots=True, eq=False)
class Workflow:
    """A workflow that is in a namespace now; `body` is what the API shows of it."""

    body: dict[str, Any]
    record: CreatedWorkflow

    @property
    def labels(self) -> dict[str, str]:
        """The labels of now, Argo's own among them."""
        labels: dict[str, str] = self.body["metadata"]["labels"]
        return labels

    @property
    def phase(self) -> str | None:
        """Argo's phase; None until Argo has taken notice of the workflow."""
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
    """Workflows by namespace and name, with an index by phase so that a filtered list costs only what it shows."""

    def __init__(self, namespaces: Iterable[str]) -> None:
        """Know these namespaces, all empty."""
        self._namespaces = {namespace: _Namespace() for namespace in namespaces}
        self._versions = itertools.count(1)
        self.created: list[CreatedWorkflow] = []

    def check_namespace(self, namespace: str) -> None:
        """Raise a Refusal with status 404 where there is no such namespace."""
        if namespace not in self._namespaces:
            raise not_found("namespaces", namespace)

    def create(self, namespace: str, body: dict[str, Any]) -> Workflow:
        """Add a workflow; raises a Refusal where the API server would: 400, 404, 409 or 422."""
        self.check_namespace(namespace)
        metadata = _named(body, namespace)
        if metadata["name"] in self._namespaces[namespace].by_name:
            raise already_exists("workflows", metadata["name"], GROUP)
        workflow = self._add({**body, "metadata": metadata})
        self.created.append(workflow.record)
        return workflow

    def get(self, namespace: str, name: str) -> Workflow:
        """Find a workflow; raises a Refusal with status 404 where there is none."""
        workflow = self._namespaces.get(namespace, _Namespace()).by_name.get(name)
        if workflow is None:
            raise not_found("workflows", name, GROUP)
        return workflow

    def delete(self, workflow: Workflow) -> None:
        """Remove a workflow; its name is free again. Does nothing where it is gone already."""
        namespace = self._namespaces[workflow.record.namespace]
        if namespace.by_name.get(workflow.record.name) is workflow:
            namespace.remove(workflow)

    def select(self, namespace: str, selector: tuple[Requirement, ...] = ()) -> list[Workflow]:
        """Give the workflows whose labels fulfil the selector, by name; none where there is no such namespace."""
        groups = self._namespaces.get(namespace, _Namespace()).by_phase.items()
        of_phase = [requirement for requirement in selector if requirement.key == PHASE_LABEL]
        others = tuple(requirement for requirement in selector if requirement.key != PHASE_LABEL)
        found = (
            workflow
            for phase, workflows in groups
            if all(requirement.accepts(phase) for requirement in of_phase)
            for workflow in workflows.values()
            if matches(others, workflow.labels)
        )
        return sorted(found, key=lambda workflow: workflow.record.name)

    def set_phase(self, workflow: Workflow, phase: Phase, message: str = "") -> None:
        """Let the workflow be in that phase, with the labels and times that Argo sets; not where it was deleted."""
        namespace = self._namespaces[workflow.record.namespace]
        if namespace.by_name.get(workflow.record.name) is not workflow:
            return
        namespace.remove(workflow)
        _enter(workflow.body, phase, message)
        workflow.body["metadata"]["resourceVersion"] = str(next(self._versions))
        namespace.add(workflow)

    def seed(self, namespace: str, count: int, phase: Phase | None = None, prefix: str = "seeded") -> list[Workflow]:
        """Add `count` small workflows in a phase, None for one that Argo has not seen; not recorded as created."""
        self.check_namespace(namespace)
        names = (f"{prefix}-{next(self._versions):09d}" for _ in range(count))
        workflows = [self._add(_small(namespace, name)) for name in names]
        for workflow in workflows if phase else ():
            self.set_phase(workflow, phase or "Pending")
        return workflows

    def counts(self) -> dict[str, dict[str, int]]:
        """Count the workflows of each namespace by phase; "" is the phase of one that Argo has not seen."""
        return {
            name: {phase or "": len(workflows) for phase, workflows in namespace.by_phase.items() if workflows}
            for name, namespace in self._namespaces.items()
        }

    def clear(self) -> None:
        """Empty all namespaces and forget what was created."""
        self._namespaces = {namespace: _Namespace() for namespace in self._namespaces}
        self.created.clear()

    def _add(self, body: dict[str, Any]) -> Workflow:
        metadata = body["metadata"]
        now = time.time()
        metadata.update(uid=str(uuid.uuid4()), resourceVersion=str(next(self._versions)), creationTimestamp=_text(now))
        workflow = Workflow(body, _record(body, now))
        self._namespaces[metadata["namespace"]].add(workflow)
        return workflow


def _named(body: dict[str, Any], namespace: str) -> dict[str, Any]:
    """Give the metadata for a new workflow after the checks of the API server."""
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


def _enter(body: dict[str, Any], phase: Phase, message: str) -> None:
    labels: dict[str, str] = body["metadata"]["labels"]
    status = dict(body.get("status") or {})
    finished = phase not in ("Pending", "Running")
    now = _text(time.time())
    labels[PHASE_LABEL] = status["phase"] = phase
    if phase != "Pending":
        labels[COMPLETED_LABEL] = "true" if finished else "false"
        status["startedAt"] = status.get("startedAt") or now
    if finished:
        status["finishedAt"] = now
    body["status"] = {**status, **({"message": message} if message else {})}


def _small(namespace: str, name: str) -> dict[str, Any]:
    metadata = {"name": name, "namespace": namespace, "labels": {"app": "thoth"}}
    spec = {"entrypoint": "seeded", "templates": [{"name": "seeded", "container": {"image": "seeded"}}]}
    status = {"startedAt": None, "finishedAt": None}  # as Argo's own clients send it
    version = f"{GROUP}/v1alpha1"
    return {"apiVersion": version, "kind": "Workflow", "metadata": metadata, "spec": spec, "status": status}


def _text(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
