# SPDX-License-Identifier: GPL-3.0-or-later
"""The identity of a message: its position in Kafka."""

from dataclasses import dataclass
from typing import NamedTuple


class MessagePosition(NamedTuple):
    """The position of a message in its topic.

    A topic that is deleted and recreated counts its offsets from zero again; the timestamp (milliseconds since 1970)
    distinguishes the messages.
    """

    partition: int
    offset: int
    timestamp_ms: int


@dataclass(frozen=True, slots=True)
class Origin:
    """The topic and position of a message; a replayed message has those of the original, from its headers.

    ``timestamp_ms`` is the record's own timestamp, in milliseconds since 1970 in UTC. It belongs to the identity
    because a topic that is deleted and recreated counts its offsets from zero again.
    """

    topic: str
    partition: int
    offset: int
    timestamp_ms: int

    def __str__(self) -> str:
        """Return ``topic[partition]@offset``, short enough for any log line."""
        return f"{self.topic}[{self.partition}]@{self.offset}"
