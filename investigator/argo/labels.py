# SPDX-License-Identifier: GPL-3.0-or-later
"""Marks on a workflow that lead from it to its message: annotations, and labels where Kubernetes allows the value."""

import re
from dataclasses import dataclass

from investigator.delivery.origin import Origin

_PREFIX = "investigator.thoth-station.ninja"
_LABEL = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?")
# A correlation id is the sender's to choose; all annotations of an object together may have 256 KiB.
_LONGEST = 1024


@dataclass(frozen=True, slots=True)
class TraceMetadata:
    """What is written on a workflow."""

    labels: dict[str, str]
    annotations: dict[str, str]


def trace_metadata(message_type: str, origin: Origin, correlation_id: str | None = None) -> TraceMetadata:
    """Give the marks for the workflows that a message asked for, so that one finds them by it, and it by them."""
    facts = {
        "message-type": message_type,
        "topic": origin.topic,
        "partition": str(origin.partition),
        "offset": str(origin.offset),
        "correlation-id": (correlation_id or "")[:_LONGEST],
    }
    written = {f"{_PREFIX}/{name}": value for name, value in facts.items() if value}
    return TraceMetadata({name: value for name, value in written.items() if _LABEL.fullmatch(value)}, written)
