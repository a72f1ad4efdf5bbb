# SPDX-License-Identifier: GPL-3.0-or-later
"""Parses Retry-After headers."""

from datetime import datetime, timezone
from email.utils import parsedate_to_datetime


def retry_after(header: str | None, now: datetime | None = None) -> float | None:
    """Parse a Retry-After header, a number of seconds or a date.

    Returns:
        Seconds from ``now`` on, 0 for a date in the past; None if the header is absent or invalid.
    """
    text = (header or "").strip()
    if text.isdecimal() and text.isascii():
        return float(text)
    try:
        date = parsedate_to_datetime(text)
    except ValueError:
        return None
    if date.tzinfo is None:  # the time zone "-0000" means UTC as well
        date = date.replace(tzinfo=timezone.utc)
    return max((date - (now or datetime.now(timezone.utc))).total_seconds(), 0.0)
