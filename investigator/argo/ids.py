# SPDX-License-Identifier: GPL-3.0-or-later
"""Ids of workflows and documents, derived from the message that requests them: a repetition gets the same id."""

import hashlib
import json
from datetime import datetime, timedelta, timezone

from investigator.delivery.origin import Origin

_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
_LATEST = datetime(9999, 12, 31, tzinfo=timezone.utc)


def workflow_id(prefix: str, origin: Origin, step: str = "") -> str:
    """Derive the id for one step of a message, in the form that other components parse.

    Args:
        prefix: the part before the date; for a solver its name.
        origin: the message; its timestamp gives the date, in UTC.
        step: distinguishes several ids with the same prefix that one message needs.

    Returns:
        ``{prefix}-{yymmddHHMMSS}-{16 hex digits}``; the same arguments give the same id in every release.
    """
    return f"{prefix}-{_date(origin.timestamp_ms)}-{_digest(prefix, origin, step)}"


def _digest(prefix: str, origin: Origin, step: str) -> str:
    # JSON is unambiguous: no two lists of strings and numbers have the same text, whatever characters a step contains.
    text = json.dumps([origin.topic, origin.partition, origin.offset, origin.timestamp_ms, prefix, step])
    return hashlib.sha256(text.encode("ascii")).hexdigest()[:16]


def _date(timestamp_ms: int) -> str:
    # Kafka's "no timestamp" is -1, and a producer may send any number; neither may prevent the handling of a message.
    try:
        date = _EPOCH + timedelta(milliseconds=max(timestamp_ms, 0))
    except OverflowError:
        date = _LATEST
    return f"{min(date, _LATEST):%y%m%d%H%M%S}"
