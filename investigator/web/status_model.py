# SPDX-License-Identifier: GPL-3.0-or-later
"""The shape of what a worker tells of itself; the field names are those of `GET /status`."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class FailedMessageStatus:
    """A message over which a topic is halted."""

    partition: int
    offset: int
    attempts: int
    error: str


@dataclass(frozen=True)
class HaltStatus:
    """A halted topic; the first of its causes, and how many more there are."""

    topic: str
    since: float
    seconds: float
    by: str
    causes: tuple[FailedMessageStatus, ...]
    more_causes: int


@dataclass(frozen=True)
class PartitionStatus:
    """An assigned partition; None where this worker has not committed, or not taken up anything yet."""

    number: int
    committed: int | None
    first_unfinished: int | None


@dataclass(frozen=True)
class TopicStatus:
    """A topic that the worker consumes; counts are this worker's, since its start."""

    topic: str
    name: str
    halted: bool
    in_flight: int
    processing: int
    waiting_for: Mapping[str, int]
    oldest_seconds: float | None
    processed: int
    failed_attempts: int
    failed: int
    dead_letters: int
    partitions: tuple[PartitionStatus, ...]


@dataclass(frozen=True)
class DependencyStatus:
    """What handlers call, and whether calls are held back until it answers again."""

    name: str
    is_unavailable: bool
    unavailable_seconds: float | None
    next_probe_seconds: float | None
    failures: int
    waiting_calls: int
    error: str | None


@dataclass(frozen=True)
class NamespaceStatus:
    """Workflows of a namespace that have not started, as last counted, and how many there may be."""

    name: str
    pending: int | None
    limit: int


@dataclass(frozen=True)
class MessageStatus:
    """A message in hand, and what its last attempt failed over, if any did."""

    topic: str
    partition: int
    offset: int
    origin: str
    seconds: float
    state: str
    attempts: int
    error: str | None


@dataclass(frozen=True)
class Status:
    """All of it; times are in seconds since 1970, spans in seconds."""

    version: str
    worker: str
    group: str
    modes: tuple[str, ...]
    at: float
    uptime_seconds: float
    halts_known: bool
    halted: tuple[HaltStatus, ...]
    topics: tuple[TopicStatus, ...]
    dependencies: tuple[DependencyStatus, ...]
    namespaces: tuple[NamespaceStatus, ...]
    in_flight: int
    messages: tuple[MessageStatus, ...]
