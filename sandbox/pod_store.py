# SPDX-License-Identifier: GPL-3.0-or-later
"""The pods of the workflows in the cluster stand-in, as Argo creates them."""

import re
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from sandbox.label_selectors import Requirement, matches
from sandbox.statuses import bad_request

__all__ = ["Pod", "PodPhase", "PodStore"]

_WORKFLOW_LABEL = "workflows.argoproj.io/workflow"
_COMPLETED_LABEL = "workflows.argoproj.io/completed"
_FIELD_SELECTOR = re.compile(r"status\.phase(?P<operator>==|=|!=)(?P<phase>\w+)")

PodPhase = Literal["Pending", "Running", "Succeeded", "Failed"]


@dataclass(slots=True, eq=False)
class Pod:
    """A pod of a workflow; it is Pending until its node has started its containers."""

    name: str
    namespace: str
    workflow: str
    phase: PodPhase = "Pending"

    @property
    def labels(self) -> dict[str, str]:
        """The labels that Argo sets."""
        is_completed = self.phase in ("Succeeded", "Failed")
        return {_WORKFLOW_LABEL: self.workflow, _COMPLETED_LABEL: str(is_completed).lower()}

    def body(self) -> dict[str, Any]:
        """Return the object that the API lists."""
        metadata = {"name": self.name, "namespace": self.namespace, "labels": self.labels}
        return {"metadata": metadata, "status": {"phase": self.phase}}


class PodStore:
    """The pods by namespace and workflow."""

    def __init__(self) -> None:
        """Start without pods."""
        self._pods: defaultdict[str, defaultdict[str, list[Pod]]] = defaultdict(lambda: defaultdict(list))

    def add(self, namespace: str, workflow: str, phase: PodPhase = "Pending") -> Pod:
        """Add a pod to a workflow, which need not exist."""
        pods = self._pods[namespace][workflow]
        pods.append(Pod(f"{workflow}-{len(pods)}", namespace, workflow, phase))
        return pods[-1]

    def delete(self, namespace: str, workflow: str) -> None:
        """Delete the pods of a workflow, as the garbage collector does after the workflow's deletion."""
        self._pods[namespace].pop(workflow, None)

    def select(self, namespace: str, selector: tuple[Requirement, ...] = (), fields: str = "") -> list[Pod]:
        """Return the pods whose labels and fields satisfy the selectors, sorted by name.

        A malformed field selector, or one of another field than the phase, raises a Refusal with status 400.
        """
        pods = (pod for pods in self._pods[namespace].values() for pod in pods)
        accepts = _field_selector(fields)
        found = (pod for pod in pods if accepts(pod.phase) and matches(selector, pod.labels))
        return sorted(found, key=lambda pod: pod.name)

    def start(self, namespace: str) -> int:
        """Let all pods of a namespace run that wait; return their number."""
        waiting = [pod for pods in self._pods[namespace].values() for pod in pods if pod.phase == "Pending"]
        for pod in waiting:
            pod.phase = "Running"
        return len(waiting)

    def clear(self) -> None:
        """Delete all pods."""
        self._pods.clear()


def _field_selector(text: str) -> Callable[[str], bool]:
    if not text:
        return lambda _: True
    found = _FIELD_SELECTOR.fullmatch(text)
    if found is None:
        message = f"the sandbox does not support the field selector {text!r}"
        raise bad_request(message)
    return lambda phase: (phase == found["phase"]) is (found["operator"] != "!=")
