# SPDX-License-Identifier: GPL-3.0-or-later
"""Labels and annotations that lead from a workflow to its message."""

import re
from dataclasses import dataclass

from investigator.delivery.origin import Origin

_PREFIX = "investigator.thoth-station.ninja"
_LABEL = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?")
# The sender chooses the correlation id; Kubernetes allows 256 KiB for all annotations of an object together.
_MAX_CORRELATION_ID_LENGTH = 1024


@dataclass(frozen=True, slots=True)
class TraceMetadata:
    """The labels and annotations of a workflow that identify its message."""

    labels: dict[str, str]
    annotations: dict[str, str]


def trace_metadata(message_type: str, origin: Origin, correlation_id: str | None = None) -> TraceMetadata:
    """Return the labels and annotations for a workflow that the message requested.

    Every fact becomes an annotation; it becomes a label too, for selection, if Kubernetes allows its value in one.
    """
    facts = {
        "message-type": message_type,
        "topic": origin.topic,
        "partition": str(origin.partition),
        "offset": str(origin.offset),
        "correlation-id": (correlation_id or "")[:_MAX_CORRELATION_ID_LENGTH],
    }
    annotations = {f"{_PREFIX}/{name}": value for name, value in facts.items() if value}
    labels = {name: value for name, value in annotations.items() if _LABEL.fullmatch(value)}
    return TraceMetadata(labels, annotations)
