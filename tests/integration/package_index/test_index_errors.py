# SPDX-License-Identifier: GPL-3.0-or-later
"""Errors of package indexes: statuses, answers that are no listing, outages, and what the texts of errors show."""

import logging
import time

import pytest

from investigator.delivery.errors import PermanentError, TemporaryError, UnavailableError
from investigator.package_index.client import PackageIndex
from sandbox.faults import Fault
from sandbox.package_index import JSON, MAIN, CannedAnswer, PackageIndexServer
from tests.integration.package_index.package_indexes import FLASK


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
