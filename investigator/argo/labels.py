# SPDX-License-Identifier: GPL-3.0-or-later
"""Labels and annotations that lead from a workflow to its message."""

import re
from dataclasses import dataclass

from investigator.delivery.origin import Origin

PREFIX = "investigator.thoth-station.ninja/"
MESSAGE_TYPE, TOPIC, PARTITION, OFFSET, TIMESTAMP, KIND, DIGEST = (
    f"{PREFIX}{name}"
    for name in ("message-type", "topic", "partition", "offset", "timestamp", "workflow-type", "parameters-digest")
)
_CORRELATION_ID = f"{PREFIX}correlation-id"
_LABEL = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?")
# The sender chooses the correlation id; Kubernetes allows 256 KiB for all annotations of an object together.
_MAX_CORRELATION_ID_LENGTH = 1024


@dataclass(frozen=True, slots=True)
class TraceMetadata:
    """The labels and annotations of a workflow that identify its message, and what that asked for.

    ``has_derived_name`` is False if the workflow's name is an id that the producer chose.
    """

    labels: dict[str, str]
    annotations: dict[str, str]
    has_derived_name: bool = False

    def for_request(self, kind: str, digest: str, *, has_derived_name: bool) -> "TraceMetadata":
        """Return these with the kind of the workflow and a digest of its parameters as annotations."""
        return TraceMetadata(self.labels, {**self.annotations, KIND: kind, DIGEST: digest}, has_derived_name)


def trace_metadata(message_type: str, origin: Origin, correlation_id: str | None = None) -> TraceMetadata:
    """Return the labels and annotations for a workflow that the message requested.

    Every fact becomes an annotation; it becomes a label too, for selection, if Kubernetes allows its value in one.
    """
    facts = {
        MESSAGE_TYPE: message_type,
        TOPIC: origin.topic,
        PARTITION: str(origin.partition),
        OFFSET: str(origin.offset),
        TIMESTAMP: str(origin.timestamp_ms),
        _CORRELATION_ID: (correlation_id or "")[:_MAX_CORRELATION_ID_LENGTH],
    }
    annotations = {name: value for name, value in facts.items() if value}
    labels = {name: value for name, value in annotations.items() if _LABEL.fullmatch(value)}
    return TraceMetadata(labels, annotations)
