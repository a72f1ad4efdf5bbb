# SPDX-License-Identifier: GPL-3.0-or-later
"""The versions that the client of package indexes finds, over HTTP to the sandbox's indexes."""

import asyncio
import json
import logging

import pytest
from thoth.python import Source

from investigator.package_index.client import PackageIndex
from sandbox.package_index import HTML, JSON, MAIN, CannedAnswer, PackageIndexServer
from tests.integration.package_index.package_indexes import FLASK

MEDIA_TYPES = [(JSON,), (HTML,), ("text/html",)]


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


async def test_a_json_listing_has_the_versions_of_files_and_those_without(
    index: PackageIndex, server: PackageIndexServer
) -> None:
    """PEP 700 lists versions without files; PEP 691 requires none of that. Broken entries are skipped."""
    files = [{"filename": "flask-1.0.zip"}, {"filename": "Flask-1.1-py3-none-any.whl"}, {"url": "x"}, None, "x", {}]
    content = {"versions": ["2.0", 3, None], "files": files}
    server.canned[f"{MAIN}/flask"] = CannedAnswer(json.dumps(content).encode(), f"{JSON}; charset=utf-8".upper())
    assert await index.versions(server.index_url(), "flask") == ["2.0", "1.1", "1.0"]
