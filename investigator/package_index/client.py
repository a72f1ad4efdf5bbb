# SPDX-License-Identifier: GPL-3.0-or-later
"""Looks up the versions of packages on indexes, without blocking the event loop."""

import logging
from functools import partial
from urllib.parse import quote, urlsplit, urlunsplit

import requests
from packaging.utils import canonicalize_name
from thoth.python.source import normalize_url

from investigator.delivery.errors import PermanentError, TemporaryError, UnavailableError
from investigator.package_index.download import Downloads, ProjectNotFoundError, without_credentials
from investigator.package_index.listing import parse_listing
from investigator.package_index.specifiers import select
from investigator.resilience.breaker_group import BreakerGroup
from investigator.resilience.calls import CallPolicy, Calls

_LOGGER = logging.getLogger(__name__)


class PackageIndex:
    """A client of package indexes; one for all messages of a worker. It has no cache: a message may announce a release.

    Args:
        policy: how to make calls.
        timeout: seconds for connecting, and then for a whole answer.
        breakers: hold calls back while an index is unavailable.
    """

    def __init__(self, policy: CallPolicy, timeout: float, breakers: BreakerGroup) -> None:
        self._calls = Calls(breakers, policy, index_error)
        self._downloads = Downloads(policy.threads, timeout)

    async def versions(self, index_url: str, name: str, specifier: str = "") -> list[str]:
        """Return the versions of a package that the index lists, latest first.

        Args:
            index_url: the URL of the index.
            name: the name of the package, in any spelling.
            specifier: selects versions as pip does, for example ``>=2.25,<3``; empty for all.

        Returns:
            The versions in the form of PEP 440. The list is empty, and a warning logged, if nothing matches or the
            index does not list the package.

        Raises:
            PermanentError: the index refuses the request at any time, or its URL or the specifier is invalid.
            TemporaryError: the request failed, or the answer is no listing; a later attempt may succeed.
        """
        look_up = partial(self._versions, index_url, name, specifier)
        return await self._calls.run(look_up, operation=f"ask {_host(index_url)}")

    def close(self) -> None:
        """Stop the threads and close the connections."""
        self._calls.close()
        self._downloads.close()

    def _versions(self, index_url: str, name: str, specifier: str) -> list[str]:
        project = canonicalize_name(name)
        try:
            listing = parse_listing(self._downloads.get(_project_url(index_url, project)), project)
        except ProjectNotFoundError as error:
            _LOGGER.warning("Package is not on the index package=%s answer=%r", name, str(error))
            return []
        selected = [str(version) for version in select(listing, specifier)]
        if not selected:
            facts = (name, without_credentials(index_url), specifier, len(listing.versions))
            _LOGGER.warning("Index lists no such version package=%s index=%s specifier=%r listed=%d", *facts)
        return selected


def _host(index_url: str) -> str:
    """Return host and port of an index, without user and password; "an invalid URL" if there is no host."""
    try:
        netloc = urlsplit(index_url).netloc
    except ValueError:
        netloc = ""
    return netloc.rpartition("@")[2].lower() or "an invalid URL"


def _project_url(index_url: str, project: str) -> str:
    """Return the URL of a project (PEP 503): it ends with a slash, to which indexes redirect otherwise."""
    parts = urlsplit(str(normalize_url(index_url)))
    path = f"{parts.path.rstrip('/')}/{quote(project)}/"
    return urlunsplit((parts.scheme, parts.netloc, path, parts.query, ""))


def index_error(error: Exception) -> Exception:
    """Map an exception of a look-up to the error for the handler; return an unknown one unchanged."""
    if isinstance(error, requests.exceptions.ContentDecodingError):
        return TemporaryError(f"the package index sent an invalid response: {error}")
    if isinstance(error, ValueError):  # the URL or the specifier is invalid
        return PermanentError(f"the URL of the package index is invalid: {error}")
    if isinstance(error, requests.RequestException):
        return UnavailableError(f"the package index does not answer: {error}")
    return error
