# SPDX-License-Identifier: GPL-3.0-or-later
"""What package indexes list, by the rules of thoth-python: nothing here blocks the event loop."""

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
    """Looks packages up on indexes; one for all messages of a worker.

    Args:
        policy: how calls are made.
        timeout: seconds that connecting may take, and each wait for a part of the answer.
        breaker: holds calls back while the indexes are down.
    """

    def __init__(self, policy: CallPolicy, timeout: float, breaker: Breaker) -> None:
        self._calls = Calls(breaker, policy, index_error)
        self._timeout = timeout
        self._session = requests.Session()
        for scheme in ("http://", "https://"):
            self._session.mount(scheme, HTTPAdapter(pool_maxsize=policy.threads))

    async def versions(self, index_url: str, name: str) -> list[str]:
        """Give all versions of a package that the index lists, latest first.

        Raises:
            PermanentError: there is no such package on that index, or no such index.
            TemporaryError: the index could not be asked.
        """
        return await self._calls.run(partial(self._versions, index_url, name))

    def close(self) -> None:
        """Let threads and connections end."""
        self._calls.close()
        self._session.close()

    def _versions(self, index_url: str, name: str) -> list[str]:
        listing = _Listing(url=index_url, fetch=self._fetch)  # type: ignore[call-arg]  # `url` is the untyped base's
        return [str(version) for version in listing.get_sorted_package_versions(listing.normalize_package_name(name))]

    def _fetch(self, url: str) -> requests.Response:
        reply = self._session.get(url, timeout=self._timeout)
        if reply.status_code != HTTPStatus.OK:
            delay = retry_after(reply.headers.get("Retry-After"))
            raise error_for_status(reply.status_code, f"GET {url}: {reply.status_code} {reply.reason}", delay=delay)
        return reply


@attr.s(frozen=True, slots=True)
class _Listing(Source):  # type: ignore[misc]  # thoth-python has no types
    """A package index that is asked with timeouts and every time anew.

    The base keeps the first answer of the last ten packages for ever, and would not see a release that a message
    announces; its asynchronous twin keeps the coroutine instead, which fails when it is awaited a second time.
    """

    fetch: Callable[[str], requests.Response] = attr.ib(kw_only=True, eq=False)

    def get_package_versions(self, package_name: str) -> list[str]:
        """Give the versions in no order."""
        if self.warehouse:
            return list(self.fetch(f"{self.get_api_url()}/{quote(package_name)}/json").json()["releases"])
        found = {self._version(package_name, file) for file in _files(self.fetch(f"{self.url}/{quote(package_name)}"))}
        return [version for version in found if version]

    def _version(self, package_name: str, file: str) -> str | None:
        try:
            return str(self._parse_artifact_version(package_name, file))
        except ValueError:  # a wheel whose name has too few parts
            _LOGGER.debug("No version is to be read from %r on %s", file, self.url)
            return None


class _Links(HTMLParser):
    """Collects where the links of a page lead to."""

    def __init__(self) -> None:
        super().__init__()
        self.targets: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.targets += [value for name, value in attrs if (tag, name) == ("a", "href") and value]


def _files(page: requests.Response) -> list[str]:
    """Give the names of the source distributions and wheels that a page links to."""
    links = _Links()
    links.feed(page.text)
    names = [unquote(urlsplit(target).path).rsplit("/", 1)[-1] for target in links.targets]
    return [name for name in names if name.endswith((".tar.gz", ".whl"))]


def index_error(error: Exception) -> Exception:
    """Turn what a look-up raised into what a handler may raise; what is unknown stays as it is."""
    if isinstance(error, requests.JSONDecodeError | LookupError):
        return TemporaryError(f"the package index gave an answer that cannot be read: {error}")
    if isinstance(error, ValueError):  # the URL is none
        return PermanentError(f"the package index cannot be asked: {error}")
    if isinstance(error, requests.RequestException):
        return UnavailableError(f"the package index does not answer: {error}")
    return error
