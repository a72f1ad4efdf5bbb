# SPDX-License-Identifier: GPL-3.0-or-later
"""Downloads the answers of package indexes within a deadline, a size limit, and the host of the index."""

from email.message import Message
from http import HTTPStatus
from http.client import HTTPException
from urllib.parse import SplitResult, urljoin, urlsplit, urlunsplit

import requests

from investigator.delivery.errors import TemporaryError, UnavailableError
from investigator.package_index.answers import status_error
from investigator.package_index.deadline import Deadline, DeadlineAdapter
from investigator.package_index.listing import ACCEPT, Answer
from investigator.resilience.retry_after import retry_after

#: The largest listings on PyPI have 20 MiB. The limit applies after decompression.
MAX_BYTES = 64 * 1024 * 1024
_CHUNK = 64 * 1024
_MAX_REDIRECTS = 5


class Downloads:
    """Downloads answers, each with one deadline for redirects, headers and body; may be used by many threads.

    Args:
        connections: how many connections are kept open for each host.
        timeout: seconds for connecting, and then for a whole answer.
    """

    def __init__(self, connections: int, timeout: float) -> None:
        self._timeout = timeout
        self._session = requests.Session()
        for scheme in ("http://", "https://"):
            self._session.mount(scheme, DeadlineAdapter(pool_maxsize=connections))

    def get(self, url: str) -> Answer:
        """Download the listing at a URL.

        Raises:
            ProjectNotFoundError: the index does not have the project.
            TemporaryError: the index refused, redirected to another host, or sent too much.
            PermanentError: the index refuses this request at any time.
            requests.RequestException: the index did not answer.
        """
        deadline = Deadline(self._timeout)
        cause: Exception | None = None
        try:
            with deadline:
                answer = self._follow(url)
        except (requests.RequestException, HTTPException, OSError) as error:
            if not deadline.passed:
                raise
            cause = error
        if deadline.passed:  # the answer may look complete
            raise UnavailableError(
                f"GET {without_credentials(url)}: no complete answer within {self._timeout:g} s"
            ) from cause
        return answer

    def close(self) -> None:
        """Close the connections."""
        self._session.close()

    def _follow(self, url: str) -> Answer:
        target = url
        for _ in range(_MAX_REDIRECTS + 1):
            with self._send(target) as response:
                if not response.is_redirect:
                    return _answer(response, without_credentials(url))
                target = _redirect_target(target, response.headers["Location"])
        raise TemporaryError(f"GET {without_credentials(url)}: more than {_MAX_REDIRECTS} redirects")

    def _send(self, url: str) -> requests.Response:
        # `Session.get` would read the whole body of a redirect, also if it is not to follow it.
        headers = {"Accept": ACCEPT, "Cache-Control": "max-age=0"}  # past the caches of proxies, as pip does
        request = self._session.prepare_request(requests.Request("GET", url, headers))
        settings = dict(self._session.merge_environment_settings(url, {}, stream=True, verify=None, cert=None))
        adapter = self._session.get_adapter(url)
        return adapter.send(request, timeout=self._timeout, **settings)  # type: ignore[arg-type]  # dict of objects


def without_credentials(url: str) -> str:
    """Return a URL for texts: the graph may register an index with a password."""
    parts = urlsplit(url)
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], *parts[2:]))


def _answer(response: requests.Response, url: str) -> Answer:
    if response.status_code != HTTPStatus.OK:
        raise _status_error(response, url)
    header = Message()
    header["Content-Type"] = response.headers.get("Content-Type", "")
    media_type = header["Content-Type"].partition(";")[0].strip().lower()
    return Answer(url, media_type, header.get_content_charset(), _body(response, url))


def _status_error(response: requests.Response, url: str) -> Exception:
    text = f"GET {url}: {response.status_code} {response.reason}"
    return status_error(response.status_code, text, retry_after(response.headers.get("Retry-After")))


def _body(response: requests.Response, url: str) -> bytes:
    body = bytearray()
    for chunk in response.iter_content(_CHUNK):
        body += chunk
        if len(body) > MAX_BYTES:
            raise TemporaryError(f"GET {url}: the answer has more than {MAX_BYTES // 2**20} MiB")
    return bytes(body)


def _redirect_target(url: str, location: str) -> str:
    """Return the URL of a redirect. A worker requests no host but the one that the graph registers.

    Raises:
        TemporaryError: the redirect leads to another host or port, or from HTTPS to HTTP.
    """
    try:
        target = urljoin(url, location)
        old, new = urlsplit(url), urlsplit(target)
        same_server = old.hostname == new.hostname and (
            _server(old) == _server(new) or (old.scheme, new.scheme) == ("http", "https")
        )
        if not same_server or new.username is not None:
            refused = f"refused a redirect to {new.scheme}://{new.hostname}, not the same server"
            raise TemporaryError(f"GET {without_credentials(url)}: {refused}")
    except ValueError:
        raise TemporaryError(f"GET {without_credentials(url)}: a redirect to an invalid URL") from None
    return target


def _server(url: SplitResult) -> tuple[str, int]:
    return url.scheme, url.port or {"http": 80, "https": 443}.get(url.scheme, 0)
