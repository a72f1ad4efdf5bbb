# SPDX-License-Identifier: GPL-3.0-or-later
"""The client of package indexes, over HTTP to the sandbox's indexes."""

import asyncio
import json
import time
from collections.abc import Iterator

import pytest
import requests
from thoth.python import Source

from investigator.delivery.errors import PermanentError, TemporaryError, UnavailableError
from investigator.package_index import PackageIndex, _Listing, index_error
from investigator.resilience.breaker import Breaker
from investigator.resilience.calls import CallPolicy
from sandbox.faults import Fault
from sandbox.package_index import PackageIndexServer


@pytest.fixture
def server() -> Iterator[PackageIndexServer]:
    """A server with the sandbox's packages."""
    with PackageIndexServer() as server:
        yield server


@pytest.fixture
def index() -> Iterator[PackageIndex]:
    """A client with short timeouts."""
    index = PackageIndex(CallPolicy(threads=4, retry_budget=1.0), 0.3, Breaker("index"))
    yield index
    index.close()


def page(*targets: str) -> requests.Response:
    """Return a page of an index with those links."""
    response = requests.Response()
    response._content = "".join(f'<a href="{target}">file</a>' for target in targets).encode()
    return response


async def test_versions_are_sorted_latest_first(index: PackageIndex, server: PackageIndexServer) -> None:
    """Compared as versions, not as text, and without duplicates if a version has several files."""
    server.add("odd", "1.10", "1.9", "1.9rc1", "2.0.dev1")
    assert await index.versions(server.index_url(), "odd") == ["2.0.dev1", "1.10", "1.9", "1.9rc1"]


@pytest.mark.filterwarnings("ignore:The 'strip_cdata' option:DeprecationWarning")  # raised by the library's parser
async def test_the_versions_are_those_of_thoth_python(index: PackageIndex, server: PackageIndexServer) -> None:
    """The client differs from the library by timeouts and the missing cache only."""
    for name in ("flask", "jinja2", "thoth-common"):
        theirs = await asyncio.to_thread(Source(server.index_url()).get_sorted_package_versions, name)
        assert await index.versions(server.index_url(), name) == [str(version) for version in theirs]


async def test_a_new_release_is_seen_at_once(index: PackageIndex, server: PackageIndexServer) -> None:
    """The client has no cache, unlike the library."""
    before = await index.versions(server.index_url(), "flask")
    server.add("flask", "99.0")
    assert await index.versions(server.index_url(), "flask") == ["99.0", *before]


async def test_names_are_normalized(index: PackageIndex, server: PackageIndexServer) -> None:
    """Messages may spell a package like its author."""
    assert await index.versions(server.index_url(), "Thoth_Common") == ["0.36.6", "0.36.5"]


async def test_a_package_without_versions_is_an_empty_list(index: PackageIndex, server: PackageIndexServer) -> None:
    """It is no error."""
    server.add("empty")
    assert await index.versions(server.index_url(), "empty") == []


async def test_an_unknown_package_is_a_permanent_error(index: PackageIndex, server: PackageIndexServer) -> None:
    """No quick retry follows."""
    with pytest.raises(PermanentError, match="404"):
        await index.versions(server.index_url(), "no-such-package")
    assert len(server.request_log.calls) == 1


async def test_an_invalid_index_url_is_a_permanent_error(index: PackageIndex) -> None:
    """It is a fault of the message."""
    with pytest.raises(PermanentError):
        await index.versions("not a url", "flask")


async def test_a_few_errors_of_the_index_do_not_reach_the_caller(
    index: PackageIndex, server: PackageIndexServer
) -> None:
    """Quick retries follow a lost connection and a 500."""
    server.faults.set(Fault(effect="reset", count=1), Fault(effect="status", status=500, count=1))
    assert await index.versions(server.index_url(), "numpy") == ["1.22.4", "1.21.6"]


async def test_a_request_of_a_hanging_index_times_out(index: PackageIndex, server: PackageIndexServer) -> None:
    """The event loop runs other tasks meanwhile."""
    server.faults.set(Fault(effect="hang"))
    began = time.monotonic()
    with pytest.raises(UnavailableError):
        await index.versions(server.index_url(), "flask")
    assert time.monotonic() - began < 5


async def test_a_long_retry_after_reaches_the_engine(index: PackageIndex, server: PackageIndexServer) -> None:
    """The error has the seconds that the index asked for."""
    server.faults.set(Fault(effect="status", status=429, retry_after=7))
    with pytest.raises(UnavailableError) as caught:
        await index.versions(server.index_url(), "flask")
    assert caught.value.delay == 7


def test_links_of_all_forms_are_parsed() -> None:
    """Absolute and relative ones, with hashes, queries and escapes; other files are skipped."""
    targets = (
        "https://files.example.com/packages/f/Flask-2.0.1-py3-none-any.whl#sha256=abc",
        "../../packages/flask-1.1.tar.gz?download=1",
        "flask-3.0%2Blocal.tar.gz",
        "flask-0.1.zip",
        "nonsense.whl",
        "/",
    )
    listing = _Listing(url="https://index.example.com/simple/", fetch=lambda _: page(*targets))  # type: ignore[call-arg]  # as in the client
    assert set(listing.get_package_versions("flask")) == {"2.0.1", "1.1", "3.0+local"}


def test_a_warehouse_is_requested_by_its_json_api() -> None:
    """Like in the library, also if the URL has PyPI's old name."""
    urls: list[str] = []

    def fetch(url: str) -> requests.Response:
        urls.append(url)
        response = requests.Response()
        response._content = json.dumps({"releases": {"1.0": [], "1.1": []}}).encode()
        return response

    listing = _Listing(url="https://pypi.python.org/simple/", fetch=fetch)  # type: ignore[call-arg]  # as in the client
    assert listing.get_package_versions("flask") == ["1.0", "1.1"]
    assert urls == ["https://pypi.org/pypi/flask/json"]


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (requests.JSONDecodeError("no JSON", "", 0), TemporaryError),
        (KeyError("releases"), TemporaryError),
        (requests.exceptions.MissingSchema("no scheme"), PermanentError),
        (requests.ConnectTimeout("slow"), UnavailableError),
    ],
)
def test_errors_are_mapped_to_those_of_handlers(error: Exception, kind: type[Exception]) -> None:
    """The type says whether another attempt may succeed, and whether the index is unavailable."""
    assert type(index_error(error)) is kind
