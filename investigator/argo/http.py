# SPDX-License-Identifier: GPL-3.0-or-later
"""HTTP client of the cluster's API: open connections, timeouts, and answers of the right kind only."""

import json
import ssl
from fnmatch import fnmatchcase
from http import HTTPStatus
from typing import Any

import urllib3

from investigator.argo.api_errors import ApiError, UnexpectedAnswerError, parse_object, refusal, unexpected
from investigator.argo.api_warnings import ApiWarnings
from investigator.argo.credentials import Credentials
from investigator.resilience.http_pools import ReplaceablePools

__all__ = ["ApiError", "ClusterApi", "UnexpectedAnswerError"]

_JSON = "application/json"


class ClusterApi:
    """Sends requests with the worker's credentials; may be used by many threads.

    Args:
        credentials: the token and the TLS settings.
        connections: how many idle connections stay open: the number of threads.
        timeout: seconds for connecting, and for each wait for a part of the response.
    """

    def __init__(self, credentials: Credentials, *, connections: int, timeout: float) -> None:
        self._credentials = credentials
        self._warnings = ApiWarnings()

        def make(tls: ssl.SSLContext) -> urllib3.PoolManager:
            # urllib3 does not retry: `Calls` alone decides whether and when to repeat a call.
            timeouts = urllib3.Timeout(connect=timeout, read=timeout)
            return urllib3.PoolManager(maxsize=connections, timeout=timeouts, retries=False, ssl_context=tls)

        self._pools = ReplaceablePools(make)

    def get(
        self,
        url: str,
        query: dict[str, str] | None = None,
        *,
        kind: str = "?*",
        name: str = "",
        accept: str = _JSON,
    ) -> dict[str, Any]:
        """Fetch an object.

        Args:
            url: the URL of the object.
            query: the parameters of the query.
            kind: a glob pattern that the object's kind must match; that of a list ends with "List".
            name: the name that the object must have; empty for any.
            accept: the media type to ask for.

        Raises:
            ApiError: the API refused the request.
            UnexpectedAnswerError: the answer is no such object, whatever its status says.
            urllib3.exceptions.HTTPError: the API could not be reached, or did not answer in time.
        """
        return _object(f"GET {url}", self._send("GET", url, query, None, accept), kind, name)

    def post(self, url: str, body: dict[str, Any], *, kind: str, name: str = "", subject: str = "") -> dict[str, Any]:
        """Send an object, and return the one in the API's answer; raises the errors of `get`.

        Args:
            url: the URL to send the object to.
            body: the object.
            kind: a glob pattern that the kind of the answer's object must match.
            name: the name that the answer's object must have; empty for any.
            subject: what the request is about, for the log of the API's warnings.
        """
        response = self._send("POST", url, None, json.dumps(body).encode(), _JSON, subject)
        return _object(f"POST {url}", response, kind, name)

    def close(self) -> None:
        """Close the idle connections; one in use is closed when its call ends."""
        self._pools.close()

    def _send(  # noqa: PLR0913, PLR0917 - the parts of a request
        self,
        method: str,
        url: str,
        query: dict[str, str] | None,
        data: bytes | None,
        accept: str,
        subject: str = "",
    ) -> urllib3.BaseHTTPResponse:
        response = self._send_once(method, url, query, data, accept)
        if response.status == HTTPStatus.UNAUTHORIZED:  # the token was replaced a moment ago
            self._credentials.refresh()
            response = self._send_once(method, url, query, data, accept)
        self._warnings.log_new(subject or f"{method} {url}", response.headers.getlist("Warning"))
        if response.status >= HTTPStatus.MULTIPLE_CHOICES:
            raise refusal(f"{method} {url}", response)
        return response

    def _send_once(
        self, method: str, url: str, query: dict[str, str] | None, data: bytes | None, accept: str
    ) -> urllib3.BaseHTTPResponse:
        headers = {"Accept": accept}
        if token := self._credentials.token():
            headers["Authorization"] = f"Bearer {token}"
        if data is not None:
            headers["Content-Type"] = _JSON
        fields = {"fields": query} if query else {}
        with self._pools.lend(self._credentials.tls) as pools:
            return pools.request(method, url, body=data, headers=headers, **fields)


def _object(request: str, response: urllib3.BaseHTTPResponse, kind: str, name: str) -> dict[str, Any]:
    content = parse_object(response)
    if content is None or not _is_whole(content, kind) or name not in {"", _name(content)}:
        raise unexpected(request, response, f"{kind.strip('?*') or 'object'} {name}".strip())
    return content


def _is_whole(content: dict[str, Any], kind: str) -> bool:
    if not fnmatchcase(str(content.get("kind") or ""), kind):
        return False
    # Kubernetes writes the items of an empty list as [] or null, but always writes them.
    return not kind.endswith("List") or isinstance(content.get("items", ""), list | None)


def _name(content: dict[str, Any]) -> object:
    metadata = content.get("metadata")
    return metadata.get("name") if isinstance(metadata, dict) else None
