# SPDX-License-Identifier: GPL-3.0-or-later
"""HTTP client of the cluster's API: connections stay open, every call has a timeout, errors contain the response."""

import json
from http import HTTPStatus
from typing import Any

import urllib3

from investigator.argo.credentials import Credentials
from investigator.resilience.http_errors import retry_after


class ApiError(Exception):
    """The API refused a request, or its response is not a JSON object.

    ``reason`` is Kubernetes' one-word reason, empty if the response has none; ``retry_after`` is in seconds.
    """

    def __init__(
        self, request: str, status: int, message: str, *, reason: str = "", retry_after: float | None = None
    ) -> None:
        super().__init__(f"{request}: {status} {message}")
        self.status = status
        self.reason = reason
        self.retry_after = retry_after


class ClusterApi:
    """Sends requests with the worker's credentials; may be used by many threads.

    Args:
        credentials: the token and the TLS settings.
        connections: how many idle connections stay open: the number of threads.
        timeout: seconds for connecting, and for each wait for a part of the response.
    """

    def __init__(self, credentials: Credentials, *, connections: int, timeout: float) -> None:
        self._credentials = credentials
        # urllib3 does not retry: `Calls` alone decides whether and when to repeat a call.
        self._pool = urllib3.PoolManager(
            maxsize=connections,
            timeout=urllib3.Timeout(connect=timeout, read=timeout),
            retries=False,
            ssl_context=credentials.tls,
        )

    def get(self, url: str, query: dict[str, str] | None = None, *, accept: str = "application/json") -> dict[str, Any]:
        """Fetch an object.

        Raises:
            ApiError: the API refused the request.
            urllib3.exceptions.HTTPError: the API could not be reached, or did not answer in time.
        """
        return _json_object("GET", url, self._send("GET", url, query, None, accept))

    def post(self, url: str, body: dict[str, Any] | bytes) -> dict[str, Any]:
        """Create an object and return the one in the API's response; raises the errors of `get`."""
        return _json_object("POST", url, self._send("POST", url, None, body))

    def create(self, url: str, body: dict[str, Any]) -> None:
        """Create an object without parsing the response; raises the errors of `get`."""
        self._send("POST", url, None, body)

    def close(self) -> None:
        """Close the idle connections; one in use is closed when its call ends."""
        # `clear` alone forgets the pools, and one that an error's response refers to would keep its connections open.
        for key in self._pool.pools.keys():  # noqa: SIM118 - urllib3's container can't be iterated
            if (pool := self._pool.pools.get(key)) is not None:
                pool.close()
        self._pool.clear()

    def _send(
        self,
        method: str,
        url: str,
        query: dict[str, str] | None,
        body: dict[str, Any] | bytes | None,
        accept: str = "application/json",
    ) -> urllib3.BaseHTTPResponse:
        data = json.dumps(body).encode() if isinstance(body, dict) else body
        response = self._send_once(method, url, query, data, accept)
        if response.status == HTTPStatus.UNAUTHORIZED:  # the token was replaced a moment ago
            self._credentials.refresh()
            response = self._send_once(method, url, query, data, accept)
        if response.status >= HTTPStatus.MULTIPLE_CHOICES:
            raise _api_error(method, url, response)
        return response

    def _send_once(
        self, method: str, url: str, query: dict[str, str] | None, data: bytes | None, accept: str
    ) -> urllib3.BaseHTTPResponse:
        headers = {"Accept": accept}
        if token := self._credentials.token():
            headers["Authorization"] = f"Bearer {token}"
        if data is not None:
            headers["Content-Type"] = "application/json"
        fields = {"fields": query} if query else {}
        return self._pool.request(method, url, body=data, headers=headers, **fields)


def _json_object(method: str, url: str, response: urllib3.BaseHTTPResponse) -> dict[str, Any]:
    content = _parse(response)
    if content is None:
        raise ApiError(f"{method} {url}", response.status, "the response is not a JSON object")
    return content


def _api_error(method: str, url: str, response: urllib3.BaseHTTPResponse) -> ApiError:
    status = _parse(response) or {}  # Kubernetes answers with a Status object, a gateway with anything
    return ApiError(
        f"{method} {url}",
        response.status,
        str(status.get("message") or response.reason or ""),
        reason=str(status.get("reason") or ""),
        retry_after=retry_after(response.headers.get("Retry-After")),
    )


def _parse(response: urllib3.BaseHTTPResponse) -> dict[str, Any] | None:
    """Return the JSON object of the response, None if there is none."""
    try:
        content = json.loads(response.data)
    except ValueError:
        return None
    return content if isinstance(content, dict) else None
