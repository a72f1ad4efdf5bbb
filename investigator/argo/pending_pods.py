# SPDX-License-Identifier: GPL-3.0-or-later
"""Finds the workflows that Argo has set Running although none of their pods has started.

The lists select by label and by phase, so their cost depends on the number of waiting pods, not on that of all pods.
"""

from collections.abc import Iterator
from itertools import islice
from typing import Any

from investigator.argo.http import ClusterApi
from investigator.argo.pages import item_labels, pages

_WORKFLOW = "workflows.argoproj.io/workflow"  # Argo sets it on each pod
# A name has at most 63 characters, so a request with these has less than the 8 kB that gateways accept.
_NAMES_PER_REQUEST = 80
_MAX_PAGES = 20  # more than ten thousand waiting pods are those of few workflows, and a count must end


def workflows_without_started_pod(api: ClusterApi, url: str, page_size: int) -> Iterator[set[str]]:
    """Yield the names of workflows with waiting pods and without a pod that has started, in groups.

    Args:
        api: the cluster's API.
        url: the URL that lists the pods of the namespace.
        page_size: how many pods one request asks for.

    Raises:
        ApiError, urllib3.exceptions.HTTPError, TemporaryError: the pods could not be listed.
    """
    asked: set[str] = set()
    waiting = {"labelSelector": _WORKFLOW, "fieldSelector": "status.phase=Pending"}
    for pods in islice(pages(api, url, waiting, page_size), _MAX_PAGES):
        names = sorted({_workflow(pod) for pod in pods if _is_pending(pod)} - asked)
        asked.update(names)
        for first in range(0, len(names), _NAMES_PER_REQUEST):
            group = set(names[first : first + _NAMES_PER_REQUEST])
            yield group - _started(api, url, group, page_size)


def _started(api: ClusterApi, url: str, names: set[str], page_size: int) -> set[str]:
    """Return those of the workflows that have a pod which runs or has run."""
    started: set[str] = set()
    selector = f"{_WORKFLOW} in ({','.join(sorted(names))})"
    for pods in pages(api, url, {"labelSelector": selector, "fieldSelector": "status.phase!=Pending"}, page_size):
        started.update(_workflow(pod) for pod in pods if not _is_pending(pod, unknown=False))
        if started >= names:
            break
    return started


def _workflow(pod: dict[str, Any]) -> str:
    return item_labels(pod).get(_WORKFLOW, "")


def _is_pending(pod: dict[str, Any], *, unknown: bool = True) -> bool:
    """Return whether a pod is pending; ``unknown`` is the answer for an item with metadata only."""
    phase = (pod.get("status") or {}).get("phase")
    return unknown if phase is None else phase == "Pending"
