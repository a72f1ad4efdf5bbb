# SPDX-License-Identifier: GPL-3.0-or-later
"""The client of package indexes, over HTTP to the sandbox's indexes and to servers that misbehave."""

import asyncio
import gzip
import json
import logging
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager

import pytest
import requests
from thoth.python import Source

from investigator.delivery.errors import PermanentError, TemporaryError, UnavailableError
from investigator.package_index import download
from investigator.package_index.client import PackageIndex, index_error
from investigator.resilience.breaker_group import BreakerGroup
from investigator.resilience.calls import CallPolicy
from sandbox.faults import Fault
from sandbox.package_index import HTML, JSON, MAIN, CannedAnswer, PackageIndexServer

FLASK = ["2.1.3", "2.0.3", "1.1.4"]
MEDIA_TYPES = [(JSON,), (HTML,), ("text/html",)]


@pytest.fixture
def server() -> Iterator[PackageIndexServer]:
    """A server with the sandbox's packages."""
    with PackageIndexServer() as server:
        yield server


@pytest.fixture
def index() -> Iterator[PackageIndex]:
    """A client with short timeouts, which makes no quick retry after a second."""
    index = PackageIndex(CallPolicy(threads=4, retry_budget=1.0), 0.3, BreakerGroup("index"))
    yield index
    index.close()


@pytest.fixture
def impatient() -> Iterator[PackageIndex]:
    """A client without quick retries."""
    index = PackageIndex(CallPolicy(threads=4, retry_budget=1.0, max_attempts=1), 0.5, BreakerGroup("index"))
    yield index
    index.close()


@asynccontextmanager
async def raw_server(write: Callable[[asyncio.StreamWriter], AsyncIterator[bytes]]) -> AsyncIterator[str]:
    """Serve bytes, whatever is requested, and yield the URL of the server."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await reader.readuntil(b"\r\n\r\n")
            async for part in write(writer):
                writer.write(part)
                await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
        host, port = server.sockets[0].getsockname()
        yield f"http://{host}:{port}"


@pytest.mark.parametrize("media_types", MEDIA_TYPES, ids=str)
async def test_versions_are_sorted_latest_first(
    index: PackageIndex, server: PackageIndexServer, media_types: tuple[str, ...]
) -> None:
    """Compared as versions, not as text, and without duplicates if a version has several files."""
    server.media_types = media_types
    server.add("odd", "1.10", "1.9", "1.9rc1", "2.0.dev1")
    assert await index.versions(server.index_url(), "odd") == ["2.0.dev1", "1.10", "1.9", "1.9rc1"]


@pytest.mark.filterwarnings("ignore:The 'strip_cdata' option:DeprecationWarning")  # raised by the library's parser
async def test_the_versions_are_those_of_thoth_python(index: PackageIndex, server: PackageIndexServer) -> None:
    """The library cannot read JSON, has no timeouts, and caches; the versions and their order are the same."""
    for name in ("flask", "jinja2", "thoth-common"):
        theirs = await asyncio.to_thread(Source(server.index_url()).get_sorted_package_versions, name)
        assert await index.versions(server.index_url(), name) == [str(version) for version in theirs]


async def test_a_new_release_is_seen_at_once(index: PackageIndex, server: PackageIndexServer) -> None:
    """The client has no cache, unlike the library."""
    before = await index.versions(server.index_url(), "flask")
    server.add("flask", "99.0")
    assert await index.versions(server.index_url(), "flask") == ["99.0", *before]


async def test_names_are_normalized(index: PackageIndex, server: PackageIndexServer) -> None:
    """Messages may spell a package like its author; the index needs no redirect."""
    assert await index.versions(server.index_url(), "Thoth_Common") == ["0.36.6", "0.36.5"]
    assert server.request_log.statuses() == {200: 1}


@pytest.mark.parametrize("suffix", ["", "/", "//"])
async def test_a_slash_at_the_end_of_the_index_does_not_matter(
    index: PackageIndex, server: PackageIndexServer, suffix: str
) -> None:
    """Thoth registers both forms."""
    assert await index.versions(server.index_url() + suffix, "flask") == FLASK
    assert server.request_log.statuses() == {200: 1}


async def test_a_specifier_selects_as_pip_does(index: PackageIndex, server: PackageIndexServer) -> None:
    """Without pre-releases and yanked releases, which belong to all versions."""
    server.add("odd", "1.0", "1.1", "1.2rc1")
    server.yanked |= {"odd-1.1.tar.gz", "odd-1.1-py3-none-any.whl", "odd-1.0.tar.gz"}
    assert await index.versions(server.index_url(), "odd", ">=1") == ["1.0"]
    assert await index.versions(server.index_url(), "odd") == ["1.2rc1", "1.1", "1.0"]


@pytest.mark.parametrize("media_types", MEDIA_TYPES, ids=str)
async def test_a_package_without_versions_is_an_empty_list(
    index: PackageIndex, server: PackageIndexServer, media_types: tuple[str, ...]
) -> None:
    """It is no error."""
    server.media_types = media_types
    server.add("empty")
    assert await index.versions(server.index_url(), "empty") == []


@pytest.mark.parametrize("status", [404, 410])
async def test_an_unknown_package_is_an_empty_list_with_a_warning(
    index: PackageIndex, server: PackageIndexServer, status: int, caplog: pytest.LogCaptureFixture
) -> None:
    """A user's typo halts no topic. No quick retry follows."""
    server.canned[f"{MAIN}/no-such-package"] = CannedAnswer(b"404 Not Found", "text/plain", status)
    with caplog.at_level(logging.WARNING):
        assert await index.versions(server.index_url(), "no-such-package") == []
    assert "Package is not on the index package=no-such-package" in caplog.text
    assert server.request_log.statuses() == {status: 1}


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (204, TemporaryError),
        (304, TemporaryError),
        (400, PermanentError),
        (401, TemporaryError),
        (403, TemporaryError),
        (406, TemporaryError),
        (429, UnavailableError),
        (500, TemporaryError),
        (503, UnavailableError),
    ],
)
async def test_another_status_is_never_an_empty_list(
    impatient: PackageIndex, server: PackageIndexServer, status: int, kind: type[Exception]
) -> None:
    """An index that refuses the worker's credentials refuses every package: an operator can repair that."""
    server.canned[f"{MAIN}/flask"] = CannedAnswer(b"", JSON, status)
    with pytest.raises((TemporaryError, PermanentError), match=str(status)) as caught:
        await impatient.versions(server.index_url(), "flask")
    assert type(caught.value) is kind


@pytest.mark.parametrize(
    ("content_type", "body", "named"),
    [
        ("text/html", "<html><form action='/login'>flask <input type='password'></form></html>", "no listing"),
        ("text/html", "<html><body><h1>Scheduled maintenance</h1></body></html>", "no listing"),
        ("text/html", "", "no listing"),
        ("text/html", "404 page not found", "no listing"),
        ("text/html", '<meta name="pypi:repository-version" content="2.0"><a href="flask-1.0.zip">', "version '2.0'"),
        ("text/plain", "flask-1.0.tar.gz", "text/plain"),
        ("application/json", '{"error": "denied"}', "application/json"),
        ("application/vnd.pypi.simple.v2+json", '{"files": []}', "application/vnd.pypi.simple.v2"),
        (JSON, '{"files": [', "invalid JSON"),
        (JSON, "[" * 100_000, "invalid JSON"),
        (JSON, "[]", "not an object"),
        (JSON, '{"message": "rate limit exceeded"}', "without a list of files"),
        (JSON, '{"meta": {"api-version": "2.0"}, "files": []}', "version '2.0'"),
        (JSON, '{"files": {}}', "without a list of files"),
        (JSON, '{"files": [], "versions": "1.0"}', "without a list of files"),
    ],
)
async def test_an_answer_that_is_no_listing_is_a_temporary_error_that_names_it(
    impatient: PackageIndex, server: PackageIndexServer, content_type: str, body: str, named: str
) -> None:
    """A login page or the page of a gateway must not count as a package without versions."""
    server.canned[f"{MAIN}/flask"] = CannedAnswer(body.encode(), content_type)
    with pytest.raises(TemporaryError, match="flask/: answered") as caught:
        await impatient.versions(server.index_url(), "flask")
    assert named in str(caught.value)


async def test_the_credentials_of_a_registered_index_are_not_shown(
    impatient: PackageIndex, server: PackageIndexServer, caplog: pytest.LogCaptureFixture
) -> None:
    """The graph may hold the URL of a private index with its password."""
    url = server.index_url().replace("http://", "http://bot:secret@")
    assert await impatient.versions(url, "flask") == FLASK
    with caplog.at_level(logging.DEBUG):
        assert await impatient.versions(url, "flask", ">99") == []
        assert await impatient.versions(url, "no-such-package") == []
    server.canned[f"{MAIN}/flask"] = CannedAnswer(status=403)
    server.canned[f"{MAIN}/click"] = CannedAnswer(status=302, headers={"Location": "http://localhost/"})
    for name in ("flask", "click"):
        with pytest.raises(TemporaryError) as caught:
            await impatient.versions(url, name)
        assert "secret" not in str(caught.value)
    assert "secret" not in caplog.text


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


async def endless_headers(_: asyncio.StreamWriter) -> AsyncIterator[bytes]:
    """Send a byte of a header now and then."""
    yield b"HTTP/1.1 200 OK\r\nX-Header: "
    while True:
        yield b"x"
        await asyncio.sleep(0.05)


async def endless_body(_: asyncio.StreamWriter) -> AsyncIterator[bytes]:
    """Send a byte of a body without a known length now and then."""
    yield f"HTTP/1.1 200 OK\r\nContent-Type: {JSON}\r\n\r\n".encode()
    while True:
        yield b" "
        await asyncio.sleep(0.05)


async def endless_chunks(_: asyncio.StreamWriter) -> AsyncIterator[bytes]:
    """Send a chunk of one byte now and then."""
    yield f"HTTP/1.1 200 OK\r\nContent-Type: {JSON}\r\nTransfer-Encoding: chunked\r\n\r\n".encode()
    while True:
        yield b"1\r\n \r\n"
        await asyncio.sleep(0.05)


@pytest.mark.parametrize("write", [endless_headers, endless_body, endless_chunks])
async def test_an_endless_answer_ends_at_the_deadline(
    impatient: PackageIndex, write: Callable[[asyncio.StreamWriter], AsyncIterator[bytes]]
) -> None:
    """A byte now and then keeps every single wait short, and would hold a thread for hours."""
    async with raw_server(write) as url:
        began = time.monotonic()
        with pytest.raises(UnavailableError, match=r"no complete answer within 0\.5 s"):
            await impatient.versions(url, "flask")
        assert time.monotonic() - began < 2


async def test_a_truncated_answer_is_an_error(impatient: PackageIndex) -> None:
    """The missing part may list versions."""

    async def write(_: asyncio.StreamWriter) -> AsyncIterator[bytes]:
        yield b'HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 999\r\n\r\n<a href="flask-1.0.zip">'

    async with raw_server(write) as url:
        with pytest.raises(UnavailableError):
            await impatient.versions(url, "flask")


async def test_the_size_limit_applies_after_decompression(
    impatient: PackageIndex, server: PackageIndexServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A few kilobytes of gzip can hold gigabytes."""
    monkeypatch.setattr(download, "MAX_BYTES", 2**20)
    body = gzip.compress(b" " * 2**24)
    assert len(body) < 2**15
    server.canned[f"{MAIN}/flask"] = CannedAnswer(body, JSON, headers={"Content-Encoding": "gzip"})
    with pytest.raises(TemporaryError, match="more than 1 MiB"):
        await impatient.versions(server.index_url(), "flask")


async def test_an_answer_that_cannot_be_decompressed_is_a_temporary_error(
    impatient: PackageIndex, server: PackageIndexServer
) -> None:
    """The index does answer, so it is not unavailable."""
    server.canned[f"{MAIN}/flask"] = CannedAnswer(b"no gzip", JSON, headers={"Content-Encoding": "gzip"})
    with pytest.raises(TemporaryError) as caught:
        await impatient.versions(server.index_url(), "flask")
    assert type(caught.value) is TemporaryError


@pytest.mark.parametrize("location", ["/{main}/Flask", "{url}/{main}/flask/", "../click/../flask/"])
async def test_redirects_within_the_server_are_followed(
    index: PackageIndex, server: PackageIndexServer, location: str
) -> None:
    """Indexes redirect to a slash, or to another spelling of the name."""
    target = location.format(main=MAIN, url=server.url)
    server.canned[f"{MAIN}/alias"] = CannedAnswer(status=302, headers={"Location": target})
    assert await index.versions(server.index_url(), "alias") == FLASK


async def test_a_loop_of_redirects_ends(impatient: PackageIndex, server: PackageIndexServer) -> None:
    """As it does with pip."""
    server.canned[f"{MAIN}/flask"] = CannedAnswer(status=302, headers={"Location": "?page=1"})
    with pytest.raises(TemporaryError, match="more than 5 redirects"):
        await impatient.versions(server.index_url(), "flask")


async def test_the_body_of_a_redirect_is_not_read(impatient: PackageIndex) -> None:
    """It may be endless; the deadline belongs to the listing."""

    async def write(_: asyncio.StreamWriter) -> AsyncIterator[bytes]:
        yield b"HTTP/1.1 302 Found\r\nLocation: http://localhost/\r\n\r\n"
        while True:
            yield b"x" * 2**16

    async with raw_server(write) as url:
        with pytest.raises(TemporaryError, match="refused a redirect to http://localhost"):
            await impatient.versions(url, "flask")


@pytest.mark.parametrize(
    "location",
    [
        "http://localhost:{port}/{main}/flask/",
        "http://127.0.0.1:{other_port}/{main}/flask/",
        "//169.254.169.254/latest/meta-data/",
        "http://user:password@127.0.0.1:{port}/{main}/flask/",
        "file:///etc/passwd",
        "http://[::1/",
        "http://127.0.0.1:port/",
    ],
)
async def test_a_redirect_to_another_server_is_refused(
    impatient: PackageIndex, server: PackageIndexServer, location: str
) -> None:
    """An index must not make the worker send requests inside the cluster."""
    target = location.format(main=MAIN, port=server.port, other_port=server.port + 1)
    server.canned[f"{MAIN}/alias"] = CannedAnswer(status=302, headers={"Location": target})
    with pytest.raises(TemporaryError, match="redirect") as caught:
        await impatient.versions(server.index_url(), "alias")
    assert "password" not in str(caught.value)
    assert server.request_log.statuses() == {302: 1}


async def test_a_json_listing_has_the_versions_of_files_and_those_without(
    index: PackageIndex, server: PackageIndexServer
) -> None:
    """PEP 700 lists versions without files; PEP 691 requires none of that. Broken entries are skipped."""
    files = [{"filename": "flask-1.0.zip"}, {"filename": "Flask-1.1-py3-none-any.whl"}, {"url": "x"}, None, "x", {}]
    content = {"versions": ["2.0", 3, None], "files": files}
    server.canned[f"{MAIN}/flask"] = CannedAnswer(json.dumps(content).encode(), f"{JSON}; charset=utf-8".upper())
    assert await index.versions(server.index_url(), "flask") == ["2.0", "1.1", "1.0"]


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (requests.exceptions.ContentDecodingError("no gzip"), TemporaryError),
        (requests.exceptions.MissingSchema("no scheme"), PermanentError),
        (requests.ConnectTimeout("slow"), UnavailableError),
    ],
)
def test_errors_are_mapped_to_those_of_handlers(error: Exception, kind: type[Exception]) -> None:
    """The type says whether another attempt may succeed, and whether the index is unavailable."""
    assert type(index_error(error)) is kind
