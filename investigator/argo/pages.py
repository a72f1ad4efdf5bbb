# SPDX-License-Identifier: GPL-3.0-or-later
"""Lists of the cluster's API, page by page and with the metadata of the objects only."""

from collections.abc import Iterator
from http import HTTPStatus
from typing import Any

from investigator.argo.http import ApiError, ClusterApi
from investigator.delivery.errors import TemporaryError

# An API that supports it leaves out spec and status: the response has a tenth of the bytes.
_METADATA_ONLY = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,application/json"


def pages(api: ClusterApi, url: str, query: dict[str, str], page_size: int) -> Iterator[list[dict[str, Any]]]:
    """Yield the items of each page of a list; a page is requested when the caller asks for it.

    Raises:
        ApiError, urllib3.exceptions.HTTPError, TemporaryError: a page could not be fetched.
    """
    token: str | None = ""
    while token is not None:
        response = _list(api, url, {**query, "limit": str(page_size), **({"continue": token} if token else {})})
        yield _items(url, response)
        token = (response.get("metadata") or {}).get("continue") or None


def _items(url: str, response: dict[str, Any]) -> list[dict[str, Any]]:
    if "items" not in response:  # e.g. the Status of a failure, or the answer of a gateway: no empty list
        raise TemporaryError(f"GET {url}: the response is not a list but of kind {response.get('kind')!r}")
    return response["items"] or []


def item_name(item: dict[str, Any]) -> str:
    """Return the name of an item of a list."""
    return str((item.get("metadata") or {}).get("name"))


def item_labels(item: dict[str, Any]) -> dict[str, str]:
    """Return the labels of an item of a list."""
    return (item.get("metadata") or {}).get("labels") or {}


def _list(api: ClusterApi, url: str, query: dict[str, str]) -> dict[str, Any]:
    try:
        return api.get(url, query, kind="*List", accept=_METADATA_ONLY)
    except ApiError as error:
        if error.status == HTTPStatus.GONE:  # the list took so long that the API dropped the token of the next page
            raise TemporaryError(str(error)) from error
        raise
