# SPDX-License-Identifier: GPL-3.0-or-later
"""The URLs of package indexes: which are valid, and which spellings name the same index.

Thoth registers some indexes with a slash at the end, while producers cut it off. Users write names of hosts in
capitals, and the names that PyPI had before 2018.
"""

import re
from collections.abc import Iterable
from urllib.parse import SplitResult, quote, unquote_to_bytes, urljoin, urlsplit

_DEFAULT_PORTS = {"http": 80, "https": 443}
# PyPI answers HTTPS only, and redirects from its old hosts and its old path.
_PYPI = {
    "pypi.org": "pypi.org",
    "pypi.python.org": "pypi.org",
    "test.pypi.org": "test.pypi.org",
    "testpypi.python.org": "test.pypi.org",
}
_UNWANTED = re.compile(r"[\s,\x00-\x1f\x7f\\]")


def check_index_url(url: str) -> None:
    """Check that a text is the URL of an index.

    Raises:
        ValueError: it is none; the text does not quote the URL, which may hold a password.
    """
    if _UNWANTED.search(url):  # the parameters of workflows separate several URLs by commas
        raise ValueError("should be one URL, without commas, spaces and backslashes")
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        raise ValueError("should be a URL with a valid host and port") from None
    if parts.scheme not in _DEFAULT_PORTS or not host:
        raise ValueError("should be an http or https URL with a host")
    if "@" in parts.netloc:
        raise ValueError("should be a URL without user name and password")


def normal_form(url: str) -> str:
    """Return a text that is the same for all spellings of an index's URL. It is for comparing, not for requests.

    Equal are: upper and lower case of scheme and host, a default port, a slash at the end, escaped and plain
    characters, and the old URLs of PyPI. The scheme, the port and the case of the path do matter.
    """
    try:
        parts = urlsplit(url.strip())
        return _normal_form(parts)
    except ValueError:
        return url


def registered_spelling(url: str, registered: Iterable[str]) -> str | None:
    """Return the registered URL that names the same index; None if there is none. The same spelling goes first."""
    wanted = normal_form(url)
    same = [other for other in registered if normal_form(other) == wanted]
    return url if url in same else min(same, default=None)


def _normal_form(parts: SplitResult) -> str:
    host = _ascii_host((parts.hostname or "").rstrip("."))
    path = _normal_path(parts.path)
    query = f"?{parts.query}" if parts.query else ""
    if host in _PYPI and parts.port in {None, *_DEFAULT_PORTS.values()}:
        return f"https://{_PYPI[host]}{'/simple' if path == '/pypi' else path}{query}"
    port = "" if parts.port in {None, _DEFAULT_PORTS.get(parts.scheme)} else f":{parts.port}"
    return f"{parts.scheme}://{host}{port}{path}{query}"


def _ascii_host(host: str) -> str:
    if host.isascii():
        return host
    try:
        return host.encode("idna").decode("ascii")
    except UnicodeError:
        return host


def _normal_path(path: str) -> str:
    segments = [quote(unquote_to_bytes(segment), safe="~") for segment in path.split("/")]
    # urljoin resolves dots, and would take two slashes at the beginning for a host.
    return urljoin("/", "/" + "/".join(segments).lstrip("/")).rstrip("/")
