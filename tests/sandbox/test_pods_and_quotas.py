# SPDX-License-Identifier: GPL-3.0-or-later
"""Pods and quotas of the cluster stand-in, as Kubernetes has them."""

import pytest

from sandbox.label_selectors import parse_selector
from sandbox.pod_store import PodStore
from sandbox.quotas import Quota
from sandbox.statuses import Refusal
from sandbox.workflow_store import WorkflowStore

NAMESPACE = "thoth-backend"


def create(store: WorkflowStore, name: str) -> None:
    """Create a workflow."""
    store.create(NAMESPACE, {"apiVersion": "argoproj.io/v1alpha1", "kind": "Workflow", "metadata": {"name": name}})


@pytest.mark.parametrize(
    ("labels", "fields", "expected"),
    [
        ("", "", ["a-0", "a-1", "b-0"]),
        ("", "status.phase=Pending", ["a-1", "b-0"]),
        ("", "status.phase!=Pending", ["a-0"]),
        ("workflows.argoproj.io/workflow in (b,c)", "", ["b-0"]),
        ("workflows.argoproj.io/completed=true", "", ["a-0"]),
    ],
)
def test_pods_are_selected_by_labels_and_phase(labels: str, fields: str, expected: list[str]) -> None:
    """Both selectors must accept a pod."""
    pods = PodStore()
    pods.add(NAMESPACE, "a", "Succeeded")
    pods.add(NAMESPACE, "a")
    pods.add(NAMESPACE, "b")
    assert [pod.name for pod in pods.select(NAMESPACE, parse_selector(labels), fields)] == expected


def test_an_unsupported_field_selector_is_refused() -> None:
    """A client must not believe that it had an effect."""
    with pytest.raises(Refusal, match="nodeName"):
        PodStore().select(NAMESPACE, (), "spec.nodeName=a")


def test_a_full_quota_refuses_with_the_text_of_kubernetes() -> None:
    """Finished workflows count, and the quota is asked before the name is looked up."""
    store = WorkflowStore([NAMESPACE])
    store.quotas[NAMESPACE] = Quota(2)
    store.seed(NAMESPACE, 1, "Succeeded")
    create(store, "first")
    with pytest.raises(Refusal) as caught:
        create(store, "first")
    assert (caught.value.code, caught.value.reason) == (403, "Forbidden")
    assert str(caught.value) == (
        'workflows.argoproj.io "first" is forbidden: exceeded quota: object-counts, requested: '
        "count/workflows.argoproj.io=1, used: count/workflows.argoproj.io=2, limited: count/workflows.argoproj.io=2"
    )
    store.delete(store.get(NAMESPACE, "first"))
    create(store, "second")
