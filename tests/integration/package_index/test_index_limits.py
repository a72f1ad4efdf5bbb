# SPDX-License-Identifier: GPL-3.0-or-later
"""Limits on what a package index may answer: time, size and redirects."""

import asyncio
import gzip
import time
from collections.abc import AsyncIterator, Callable

import pytest

from investigator.delivery.errors import TemporaryError, UnavailableError
from investigator.package_index import download
from investigator.package_index.client import PackageIndex
from sandbox.package_index import JSON, MAIN, CannedAnswer, PackageIndexServer
from tests.integration.package_index.package_indexes import FLASK, raw_server


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
