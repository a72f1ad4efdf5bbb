# SPDX-License-Identifier: GPL-3.0-or-later
"""The Retry-After header."""

from datetime import datetime, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from investigator.resilience.retry_after import retry_after

NOON = datetime(2021, 6, 1, 12, 0, 0, tzinfo=timezone.utc)


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
