# SPDX-License-Identifier: GPL-3.0-or-later
"""Points in time and spans of it, as people read them."""

from datetime import datetime, timezone


def format_timestamp(seconds: float) -> str:
    """Give a point in time, in seconds since 1970, as text in UTC."""
    return datetime.fromtimestamp(seconds, timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def format_duration(seconds: float) -> str:
    """Give a span of time by its two largest units."""
    whole = max(0, round(seconds))
    days, hours, minutes = whole // 86400, whole // 3600 % 24, whole // 60 % 60
    if days:
        return f"{days} d {hours} h"
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {whole % 60} s" if minutes else f"{whole} s"
