# SPDX-License-Identifier: GPL-3.0-or-later
"""Ids of workflows and documents, derived from the message that asks for them: a repetition asks for the same id."""

import hashlib
import json
from datetime import datetime, timedelta, timezone

from investigator.delivery.origin import Origin

_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
_LAST = datetime(9999, 12, 31, tzinfo=timezone.utc)


def workflow_id(prefix: str, origin: Origin, step: str = "") -> str:
    """Derive the id for one step of what a message asks for, in the form that other components parse.

    Args:
        prefix: what stands before the date; for a solver its name.
        origin: the message; its timestamp gives the date, in UTC.
        step: tells apart several ids with the same prefix that one message asks for.

    Returns:
        ``{prefix}-{yymmddHHMMSS}-{16 hex digits}``, the same for the same arguments for ever.
    """
    return f"{prefix}-{_date(origin.timestamp_ms)}-{_digest(prefix, origin, step)}"


def _digest(prefix: str, origin: Origin, step: str) -> str:
    # As JSON no two lists of strings and numbers are written alike, whatever characters a step has.
    whole = json.dumps([origin.topic, origin.partition, origin.offset, origin.timestamp_ms, prefix, step])
    return hashlib.sha256(whole.encode("ascii")).hexdigest()[:16]


def _date(timestamp_ms: int) -> str:
    # Kafka's "no timestamp" is -1, and a producer may send any number: neither may keep a message from being handled.
    try:
        date = _EPOCH + timedelta(milliseconds=max(timestamp_ms, 0))
    except OverflowError:
        date = _LAST
    return f"{min(date, _LAST):%y%m%d%H%M%S}"
