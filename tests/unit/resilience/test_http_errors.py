# SPDX-License-Identifier: GPL-3.0-or-later
"""The errors for HTTP statuses, and the Retry-After header."""

from datetime import datetime, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from investigator.delivery.errors import PermanentError, TemporaryError, UnavailableError
from investigator.resilience.http_errors import error_for_status, retry_after

NOON = datetime(2021, 6, 1, 12, 0, 0, tzinfo=timezone.utc)


@pytest.mark.parametrize(
    ("statuses", "kind"),
    [
        ([400, 403, 404, 405, 410, 413, 415, 422, 451], PermanentError),
        ([200, 302, 401, 408, 409, 425, 500, 501, 507], TemporaryError),
        ([429, 502, 503, 504], UnavailableError),
    ],
)
def test_each_status_has_its_error(statuses: list[int], kind: type[Exception]) -> None:
    """The request can never succeed, may succeed later, or the server is unavailable."""
    assert {type(error_for_status(status, "text")) for status in statuses} == {kind}


def test_the_error_has_the_delay() -> None:
    """The seconds that the server asked for."""
    error = error_for_status(503, "text", delay=4.0)
    assert isinstance(error, UnavailableError)
    assert error.delay == 4.0


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        (None, None),
        ("", None),
        ("120", 120.0),
        (" 0 ", 0.0),
        ("-5", None),
        ("soon", None),
        ("Tue, 01 Jun 2021 12:00:30 GMT", 30.0),
        ("Tue, 01 Jun 2021 12:00:30 -0000", 30.0),
        ("Tue, 01 Jun 2021 11:00:00 GMT", 0.0),
    ],
)
def test_retry_after_is_parsed(header: str | None, seconds: float | None) -> None:
    """Seconds and dates; a past date means now, an invalid header is ignored."""
    assert retry_after(header, NOON) == seconds


@given(st.text())
def test_no_header_raises_an_error(header: str) -> None:
    """Whatever text the server sends."""
    seconds = retry_after(header)
    assert seconds is None or seconds >= 0
