# SPDX-License-Identifier: GPL-3.0-or-later
"""The identity of a message: where it lies in Kafka."""

from dataclasses import dataclass
from typing import NamedTuple


class MessagePosition(NamedTuple):
    """Where a message lies in its topic; the timestamp tells it from another one, should the topic be made anew."""

    partition: int
    offset: int
    timestamp_ms: int


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a message lies; a replayed message keeps that of the original, from its headers.

    ``timestamp_ms`` is the record's own timestamp, in milliseconds since 1970 in UTC. It belongs to the
    identity since a topic that was deleted and made anew counts its offsets from zero again.
    """

    topic: str
    partition: int
    offset: int
    timestamp_ms: int

    def __str__(self) -> str:
        """Return ``topic[partition]@offset``, short enough for any log line."""
        return f"{self.topic}[{self.partition}]@{self.offset}"
