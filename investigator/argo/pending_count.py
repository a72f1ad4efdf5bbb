# SPDX-License-Identifier: GPL-3.0-or-later
"""Counts the workflows of a namespace that have not started, at a cost that depends on these alone."""

from http import HTTPStatus
from typing import Any

from investigator.argo.http import ApiError, ClusterApi
from investigator.delivery.errors import TemporaryError

_PHASE = "workflows.argoproj.io/phase"
_STARTED = ("Running", "Succeeded", "Failed", "Error")
_NOT_STARTED = ",".join(f"{_PHASE}!={phase}" for phase in _STARTED)  # also true of those without the label
# Without spec and status, where the API knows how to leave them out: a tenth of the bytes.
_METADATA_ONLY = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,application/json"


def count_pending(api: ClusterApi, url: str, *, page: int, enough: int) -> int:
    """Count them page by page, until there are no more or there are more than ``enough``.

    Args:
        api: the cluster.
        url: where its workflows are listed.
        page: how many are asked for at once.
        enough: nobody needs to know how many more there are.

    Raises:
        ApiError, urllib3.exceptions.HTTPError, TemporaryError: they could not be counted.
    """
    query = {"labelSelector": _NOT_STARTED, "limit": str(page)}
    count = 0
    while True:
        reply = _list(api, url, query)
        count += sum(not _has_started(item) for item in reply.get("items") or ())
        following = (reply.get("metadata") or {}).get("continue")
        if not following or count > enough:
            return count
        query = {**query, "continue": following}


def _list(api: ClusterApi, url: str, query: dict[str, str]) -> dict[str, Any]:
    try:
        return api.get(url, query, accept=_METADATA_ONLY)
    except ApiError as error:
        if error.status == HTTPStatus.GONE:  # the pages took so long that the next one is forgotten
            raise TemporaryError(str(error)) from error
        raise


def _has_started(workflow: dict[str, Any]) -> bool:
    """Tell it of one item of the list; an API that does not know the selector lists them all, with their status."""
    phase = ((workflow.get("metadata") or {}).get("labels") or {}).get(_PHASE)
    return phase in _STARTED or bool((workflow.get("status") or {}).get("startedAt"))
