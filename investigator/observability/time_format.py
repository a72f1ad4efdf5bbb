# SPDX-License-Identifier: GPL-3.0-or-later
"""Timestamps and durations as text for operators."""

from datetime import datetime, timezone


def format_timestamp(seconds: float) -> str:
    """Return a timestamp, in seconds since 1970, as text in UTC: `2024-05-01T12:00:00Z`."""
    try:
        return datetime.fromtimestamp(seconds, timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
    except (ValueError, OverflowError, OSError):
        return f"({seconds:.0f} s after 1970)"  # some producers send microseconds where Kafka has milliseconds


def format_duration(seconds: float) -> str:
    """Return a duration by its two largest units: `3 d 4 h`, `4 h 5 min`, `5 min 6 s`, `6 s`."""
    whole = max(0, round(seconds))
    days, hours, minutes = whole // 86400, whole // 3600 % 24, whole // 60 % 60
    if days:
        return f"{days} d {hours} h"
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {whole % 60} s" if minutes else f"{whole} s"
