# SPDX-License-Identifier: GPL-3.0-or-later
"""Looking packages up, over HTTP to the sandbox's package indexes."""

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
    """A server with the packages of the sandbox."""
    with PackageIndexServer() as server:
        yield server


@pytest.fixture
def index() -> Iterator[PackageIndex]:
    """The indexes as handlers see them, with short timeouts."""
    index = PackageIndex(CallPolicy(threads=4, retry_budget=1.0), 0.3, Breaker("index"))
    yield index
    index.close()


def page(*targets: str) -> requests.Response:
    """Give an index's page with those links."""
    reply = requests.Response()
    reply._content = "".join(f'<a href="{target}">file</a>' for target in targets).encode()
    return reply


async def test_versions_come_latest_first(index: PackageIndex, server: PackageIndexServer) -> None:
    """By the rules of versions, not of texts, and each of them once whatever files it has."""
    server.add("odd", "1.10", "1.9", "1.9rc1", "2.0.dev1")
    assert await index.versions(server.index_url(), "odd") == ["2.0.dev1", "1.10", "1.9", "1.9rc1"]


@pytest.mark.filterwarnings("ignore:The 'strip_cdata' option:DeprecationWarning")  # in the library's way of parsing
async def test_they_are_those_that_thoth_python_lists(index: PackageIndex, server: PackageIndexServer) -> None:
    """With timeouts added and nothing kept, the answer is the library's."""
    for name in ("flask", "jinja2", "thoth-common"):
        theirs = await asyncio.to_thread(Source(server.index_url()).get_sorted_package_versions, name)
        assert await index.versions(server.index_url(), name) == [str(version) for version in theirs]


async def test_a_new_release_is_seen_at_once(index: PackageIndex, server: PackageIndexServer) -> None:
    """Nothing is kept from an earlier look, unlike in the library."""
    before = await index.versions(server.index_url(), "flask")
    server.add("flask", "99.0")
    assert await index.versions(server.index_url(), "flask") == ["99.0", *before]


async def test_any_spelling_of_the_name_will_do(index: PackageIndex, server: PackageIndexServer) -> None:
    """Messages may spell a package as its author does."""
    assert await index.versions(server.index_url(), "Thoth_Common") == ["0.36.6", "0.36.5"]


async def test_a_package_without_versions_has_none(index: PackageIndex, server: PackageIndexServer) -> None:
    """That is an answer and no error."""
    server.add("empty")
    assert await index.versions(server.index_url(), "empty") == []


async def test_an_unknown_package_is_wrong_for_good(index: PackageIndex, server: PackageIndexServer) -> None:
    """No attempt finds what the index does not list."""
    with pytest.raises(PermanentError, match="404"):
        await index.versions(server.index_url(), "no-such-package")
    assert len(server.request_log.calls) == 1


async def test_an_address_that_is_none_is_wrong_for_good(index: PackageIndex) -> None:
    """An index URL that nobody could ask is the message's fault."""
    with pytest.raises(PermanentError):
        await index.versions("not a url", "flask")


async def test_trouble_of_the_index_is_survived(index: PackageIndex, server: PackageIndexServer) -> None:
    """A lost connection and an error 500 are tried again."""
    server.faults.set(Fault(effect="reset", count=1), Fault(effect="status", status=500, count=1))
    assert await index.versions(server.index_url(), "numpy") == ["1.22.4", "1.21.6"]


async def test_an_index_that_hangs_holds_nobody_up(index: PackageIndex, server: PackageIndexServer) -> None:
    """Neither the event loop nor the message for ever."""
    server.faults.set(Fault(effect="hang"))
    began = time.monotonic()
    with pytest.raises(UnavailableError):
        await index.versions(server.index_url(), "flask")
    assert time.monotonic() - began < 5


async def test_a_throttling_index_is_obeyed(index: PackageIndex, server: PackageIndexServer) -> None:
    """How long it asks to be left alone reaches the engine."""
    server.faults.set(Fault(effect="status", status=429, retry_after=7))
    with pytest.raises(UnavailableError) as caught:
        await index.versions(server.index_url(), "flask")
    assert caught.value.delay == 7


def test_links_of_all_forms_are_understood() -> None:
    """Absolute and relative ones, with hashes, queries and escapes; what is no package is passed over."""
    targets = (
        "https://files.example.com/packages/f/Flask-2.0.1-py3-none-any.whl#sha256=abc",
        "../../packages/flask-1.1.tar.gz?download=1",
        "flask-3.0%2Blocal.tar.gz",
        "flask-0.1.zip",
        "nonsense.whl",
        "/",
    )
    listing = _Listing(url="https://index.example.com/simple/", fetch=lambda _: page(*targets))  # type: ignore[call-arg]  # as in the module
    assert set(listing.get_package_versions("flask")) == {"2.0.1", "1.1", "3.0+local"}


def test_a_warehouse_is_asked_by_its_own_api() -> None:
    """PyPI is asked for JSON, by its old name too, as the library does it."""
    asked: list[str] = []

    def fetch(url: str) -> requests.Response:
        asked.append(url)
        reply = requests.Response()
        reply._content = json.dumps({"releases": {"1.0": [], "1.1": []}}).encode()
        return reply

    listing = _Listing(url="https://pypi.python.org/simple/", fetch=fetch)  # type: ignore[call-arg]  # as in the module
    assert listing.get_package_versions("flask") == ["1.0", "1.1"]
    assert asked == ["https://pypi.org/pypi/flask/json"]


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (requests.JSONDecodeError("no JSON", "", 0), TemporaryError),
        (KeyError("releases"), TemporaryError),
        (requests.exceptions.MissingSchema("no scheme"), PermanentError),
        (requests.ConnectTimeout("slow"), UnavailableError),
    ],
)
def test_errors_are_told_apart(error: Exception, kind: type[Exception]) -> None:
    """Handlers see whether another attempt may help."""
    assert type(index_error(error)) is kind
