# SPDX-License-Identifier: GPL-3.0-or-later
"""Looks up packages on indexes by the rules of thoth-python, without blocking the event loop."""

import logging
from collections.abc import Callable
from functools import partial
from html.parser import HTMLParser
from http import HTTPStatus
from urllib.parse import quote, unquote, urlsplit

import attr
import requests
from requests.adapters import HTTPAdapter
from thoth.python import Source

from investigator.delivery.errors import PermanentError, TemporaryError, UnavailableError
from investigator.resilience.breaker import Breaker
from investigator.resilience.calls import CallPolicy, Calls
from investigator.resilience.http_errors import error_for_status, retry_after

_LOGGER = logging.getLogger(__name__)


class PackageIndex:
    """A client of package indexes; one for all messages of a worker.

    Args:
        policy: how to make calls.
        timeout: seconds for connecting, and for each wait for a part of the response.
        breaker: holds calls back while the indexes are unavailable.
    """

    def __init__(self, policy: CallPolicy, timeout: float, breaker: Breaker) -> None:
        self._calls = Calls(breaker, policy, index_error)
        self._timeout = timeout
        self._session = requests.Session()
        for scheme in ("http://", "https://"):
            self._session.mount(scheme, HTTPAdapter(pool_maxsize=policy.threads))

    async def versions(self, index_url: str, name: str) -> list[str]:
        """Return all versions of a package that the index lists, latest first.

        Raises:
            PermanentError: the index does not list the package, or its URL is invalid.
            TemporaryError: the request failed; a later attempt may succeed.
        """
        return await self._calls.run(partial(self._versions, index_url, name))

    def close(self) -> None:
        """Stop the threads and close the connections."""
        self._calls.close()
        self._session.close()

    def _versions(self, index_url: str, name: str) -> list[str]:
        listing = _Listing(url=index_url, fetch=self._fetch)  # type: ignore[call-arg]  # `url` is the untyped base's
        return [str(version) for version in listing.get_sorted_package_versions(listing.normalize_package_name(name))]

    def _fetch(self, url: str) -> requests.Response:
        response = self._session.get(url, timeout=self._timeout)
        if response.status_code != HTTPStatus.OK:
            delay = retry_after(response.headers.get("Retry-After"))
            text = f"GET {url}: {response.status_code} {response.reason}"
            raise error_for_status(response.status_code, text, delay=delay)
        return response


@attr.s(frozen=True, slots=True)
class _Listing(Source):  # type: ignore[misc]  # thoth-python has no types
    """A package index, requested with a timeout and without a cache.

    The base caches the first response for each of the last ten packages permanently, and would not see a release that
    a message announces. The asynchronous base caches the coroutine instead, which fails when it is awaited again.
    """

    fetch: Callable[[str], requests.Response] = attr.ib(kw_only=True, eq=False)

    def get_package_versions(self, package_name: str) -> list[str]:
        """Return the versions, unordered."""
        if self.warehouse:
            return list(self.fetch(f"{self.get_api_url()}/{quote(package_name)}/json").json()["releases"])
        versions = {
            self._version(package_name, file) for file in _files(self.fetch(f"{self.url}/{quote(package_name)}"))
        }
        return [version for version in versions if version]

    def _version(self, package_name: str, file: str) -> str | None:
        try:
            return str(self._parse_artifact_version(package_name, file))
        except ValueError:  # a wheel whose name has too few parts
            _LOGGER.debug("Skipped a file whose name has no version file=%r index=%s", file, self.url)
            return None


class _Links(HTMLParser):
    """Collects the targets of the links of an HTML page."""

    def __init__(self) -> None:
        super().__init__()
        self.targets: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.targets += [value for name, value in attrs if (tag, name) == ("a", "href") and value]


def _files(page: requests.Response) -> list[str]:
    """Return the file names of the source distributions and wheels that a page links to."""
    links = _Links()
    links.feed(page.text)
    names = [unquote(urlsplit(target).path).rsplit("/", 1)[-1] for target in links.targets]
    return [name for name in names if name.endswith((".tar.gz", ".whl"))]


def index_error(error: Exception) -> Exception:
    """Map an exception of a look-up to the error for the handler; return an unknown one unchanged."""
    if isinstance(error, requests.JSONDecodeError | LookupError):
        return TemporaryError(f"the package index sent an invalid response: {error}")
    if isinstance(error, ValueError):  # the URL is invalid
        return PermanentError(f"the URL of the package index is invalid: {error}")
    if isinstance(error, requests.RequestException):
        return UnavailableError(f"the package index does not answer: {error}")
    return error
