# SPDX-License-Identifier: GPL-3.0-or-later
"""Counts the pending workflows of a namespace, at a cost that depends on their number alone."""

import logging
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

from investigator.argo.http import ApiError, ClusterApi
from investigator.argo.pages import item_labels, item_name, pages
from investigator.argo.pending_pods import workflows_without_started_pod

_LOGGER = logging.getLogger(__name__)

_PHASE = "workflows.argoproj.io/phase"
_STARTED = ("Running", "Succeeded", "Failed", "Error")
_NOT_STARTED = ",".join(f"{_PHASE}!={phase}" for phase in _STARTED)  # also matches workflows without the label
# An API server that has just started refuses for some seconds what it allows otherwise.
_REFUSALS_IN_A_ROW = 3


@dataclass(slots=True)
class PendingCount:
    """Counts the pending workflows of namespaces; its calls block.

    Argo sets the phase Running as soon as it has seen a workflow, although no pod may have started. So a workflow is
    pending if it has no phase or the phase Pending, or if its pods wait to be started.

    Attributes:
        api: the cluster's API.
        workflows_url: returns the URL that lists the workflows of a namespace.
        pods_url: returns the URL that lists its pods; None to count by phase alone.
        page_size: how many objects one request asks for.
    """

    api: ClusterApi
    workflows_url: Callable[[str], str]
    pods_url: Callable[[str], str] | None
    page_size: int
    _refusals: Counter[str] = field(default_factory=Counter, init=False)  # of the list of pods, in a row

    def count(self, namespace: str, stop_above: int) -> int:
        """Count the workflows that have not started, page by page; end soon after ``stop_above``.

        Raises:
            ApiError, urllib3.exceptions.HTTPError, TemporaryError: the workflows could not be counted.
        """
        pending: set[str] = set()
        for names in (self._by_phase(namespace), self._by_pods(namespace)):
            for found in names:
                pending |= found
                if len(pending) > stop_above:
                    return len(pending)
        return len(pending)

    def _by_phase(self, namespace: str) -> Iterator[set[str]]:
        """Yield the names of the workflows that Argo has not set Running, page by page."""
        for items in pages(self.api, self.workflows_url(namespace), {"labelSelector": _NOT_STARTED}, self.page_size):
            yield {item_name(item) for item in items if not _has_started(item)}

    def _by_pods(self, namespace: str) -> Iterator[set[str]]:
        if self.pods_url is None:
            return
        try:
            yield from workflows_without_started_pod(self.api, self.pods_url(namespace), self.page_size)
            self._refusals[namespace] = 0
        except ApiError as error:
            self._tolerate_refusal(namespace, error)

    def _tolerate_refusal(self, namespace: str, error: ApiError) -> None:
        """Count by phase alone where the cluster keeps refusing the list of pods, so that a missing role stops nothing.

        Raises:
            ApiError: the error, if it is another one or may be over in a moment.
        """
        if error.status not in (HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND):
            raise error
        self._refusals[namespace] += 1
        if self._refusals[namespace] < _REFUSALS_IN_A_ROW:
            raise error
        if self._refusals[namespace] == _REFUSALS_IN_A_ROW:
            _LOGGER.warning(
                "Workflows whose pods have not started are not counted, because the worker may not list pods error=%s",
                error,
            )


def _has_started(workflow: dict[str, Any]) -> bool:
    """Return whether an item of the list has started; an API that ignores the selector lists started ones as well."""
    return item_labels(workflow).get(_PHASE) in _STARTED or bool((workflow.get("status") or {}).get("startedAt"))
