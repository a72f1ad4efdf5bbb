# SPDX-License-Identifier: GPL-3.0-or-later
"""Counts the pending workflows of a namespace, at a cost that depends on their number alone."""

from http import HTTPStatus
from typing import Any

from investigator.argo.http import ApiError, ClusterApi
from investigator.delivery.errors import TemporaryError

_PHASE = "workflows.argoproj.io/phase"
_STARTED = ("Running", "Succeeded", "Failed", "Error")
_NOT_STARTED = ",".join(f"{_PHASE}!={phase}" for phase in _STARTED)  # also matches workflows without the label
# An API that supports it leaves out spec and status: the response has a tenth of the bytes.
_METADATA_ONLY = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,application/json"


def count_pending(api: ClusterApi, url: str, *, page_size: int, stop_above: int) -> int:
    """Count the workflows that have not started, page by page.

    Args:
        api: the cluster's API.
        url: the URL that lists the workflows of the namespace.
        page_size: how many workflows one request asks for.
        stop_above: end the count after the page that takes it above this number.

    Raises:
        ApiError, urllib3.exceptions.HTTPError, TemporaryError: the workflows could not be counted.
    """
    query = {"labelSelector": _NOT_STARTED, "limit": str(page_size)}
    count = 0
    while True:
        response = _list(api, url, query)
        count += sum(not _has_started(item) for item in response.get("items") or ())
        next_page = (response.get("metadata") or {}).get("continue")
        if not next_page or count > stop_above:
            return count
        query = {**query, "continue": next_page}


def _list(api: ClusterApi, url: str, query: dict[str, str]) -> dict[str, Any]:
    try:
        return api.get(url, query, kind="*List", accept=_METADATA_ONLY)
    except ApiError as error:
        if (
            error.status == HTTPStatus.GONE
        ):  # the count took so long that the API has dropped the token of the next page
            raise TemporaryError(str(error)) from error
        raise


def _has_started(workflow: dict[str, Any]) -> bool:
    """Return whether an item of the list has started; an API that ignores the selector lists started ones as well."""
    phase = ((workflow.get("metadata") or {}).get("labels") or {}).get(_PHASE)
    return phase in _STARTED or bool((workflow.get("status") or {}).get("startedAt"))
