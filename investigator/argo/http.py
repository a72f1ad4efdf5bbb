# SPDX-License-Identifier: GPL-3.0-or-later
"""HTTP to the cluster's API: kept-alive connections, a timeout on every call, errors that say what was answered."""

import json
from http import HTTPStatus
from typing import Any

import urllib3

from investigator.argo.credentials import Credentials
from investigator.resilience.http_errors import retry_after


class ApiError(Exception):
    """The API refused a request, or gave a reply that is no JSON object.

    ``reason`` is Kubernetes' one-word reason, empty where the reply has none; ``retry_after`` is in seconds.
    """

    def __init__(
        self, request: str, status: int, message: str, *, reason: str = "", retry_after: float | None = None
    ) -> None:
        super().__init__(f"{request}: {status} {message}")
        self.status = status
        self.reason = reason
        self.retry_after = retry_after


class ClusterApi:
    """Sends requests as the login says; may be used by many threads.

    Args:
        login: where the API is, and the token.
        connections: how many connections are kept alive: the number of threads.
        timeout: seconds that connecting may take, and each wait for a part of the answer.
    """

    def __init__(self, credentials: Credentials, *, connections: int, timeout: float) -> None:
        self._credentials = credentials
        # No retries here: whether and when to repeat is decided in one place, above.
        self._pool = urllib3.PoolManager(
            maxsize=connections,
            timeout=urllib3.Timeout(connect=timeout, read=timeout),
            retries=False,
            ssl_context=credentials.tls,
        )

    def get(self, url: str, query: dict[str, str] | None = None, *, accept: str = "application/json") -> dict[str, Any]:
        """Fetch an object.

        Raises:
            ApiError: the API refused it.
            urllib3.exceptions.HTTPError: the API could not be reached, or did not answer in time.
        """
        return _content("GET", url, self._send("GET", url, query, None, accept))

    def post(self, url: str, body: dict[str, Any] | bytes) -> dict[str, Any]:
        """Create an object and give it as the API shows it; raises what `get` does."""
        return _content("POST", url, self._send("POST", url, None, body))

    def create(self, url: str, body: dict[str, Any]) -> None:
        """Create an object, without a look at what the API shows of it; raises what `get` does."""
        self._send("POST", url, None, body)

    def close(self) -> None:
        """Close the idle connections; one in use is closed when its call ends."""
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
        reply = self._send_once(method, url, query, data, accept)
        if reply.status == HTTPStatus.UNAUTHORIZED:  # the token was replaced a moment ago
            self._credentials.refresh()
            reply = self._send_once(method, url, query, data, accept)
        if reply.status >= HTTPStatus.MULTIPLE_CHOICES:
            raise _refusal(method, url, reply)
        return reply

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


def _content(method: str, url: str, reply: urllib3.BaseHTTPResponse) -> dict[str, Any]:
    try:
        content = json.loads(reply.data)
    except ValueError:
        content = None
    if not isinstance(content, dict):
        raise ApiError(f"{method} {url}", reply.status, "the reply is no JSON object")
    return content


def _refusal(method: str, url: str, reply: urllib3.BaseHTTPResponse) -> ApiError:
    try:
        content = json.loads(reply.data)
    except ValueError:
        content = None
    status = content if isinstance(content, dict) else {}
    return ApiError(
        f"{method} {url}",
        reply.status,
        str(status.get("message") or reply.reason or ""),
        reason=str(status.get("reason") or ""),
        retry_after=retry_after(reply.headers.get("Retry-After")),
    )
