# SPDX-License-Identifier: GPL-3.0-or-later
"""The status of a worker: the shape of the JSON of `GET /status`, whose field names are those of these classes.

Timestamps are in seconds since 1970; fields that end in `_seconds` are durations. A topic is named by its base name.
"""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class FailedMessageStatus:
    """A failed message that is not settled; ``action`` is that of the last resume, None while it halts its topic."""

    partition: int
    offset: int
    attempts: int
    error: str
    action: str | None = None


@dataclass(frozen=True)
class HaltStatus:
    """A topic that is halted or was resumed, with the first of its failed messages and the number of further ones.

    There is no failed message where an operator halted the topic. ``since`` and ``by`` are those of the halt, or of the
    resume where the topic is not halted.
    """

    topic: str
    since: float
    halted_seconds: float
    by: str
    failed_messages: tuple[FailedMessageStatus, ...]
    more_failed_messages: int


@dataclass(frozen=True)
class PartitionStatus:
    """An assigned partition; an offset is None where this worker has not committed or accepted a message yet."""

    partition: int
    committed_offset: int | None
    first_unfinished_offset: int | None


@dataclass(frozen=True)
class TopicStatus:
    """A topic that the worker consumes, with counts of this worker since its start.

    ``waiting_for`` counts the messages in flight that are not being processed, by what they wait for.
    """

    topic: str
    full_name: str
    halted: bool
    in_flight: int
    processing: int
    waiting_for: Mapping[str, int]
    oldest_in_flight_seconds: float | None
    processed: int
    failed_attempts: int
    failed: int
    dead_letters: int
    partitions: tuple[PartitionStatus, ...]


@dataclass(frozen=True)
class OperationStatus:
    """An unavailable operation of a dependency; calls wait for it, and one of them probes it now and then.

    ``others_succeed`` says whether other operations of the dependency succeed meanwhile.
    """

    operation: str
    unavailable_seconds: float
    next_probe_seconds: float
    waiting_calls: int
    last_error: str | None
    others_succeed: bool


@dataclass(frozen=True)
class DependencyStatus:
    """A system that handlers call; it is unavailable if operations fail and no other one succeeds."""

    name: str
    is_unavailable: bool
    unavailable_seconds: float | None
    next_probe_seconds: float | None
    consecutive_failures: int
    waiting_calls: int
    last_error: str | None
    unavailable_operations: tuple[OperationStatus, ...]


@dataclass(frozen=True)
class NamespaceStatus:
    """The pending workflows of a namespace by the latest count, None before the first one, and their limit, if any.

    The fields of the count are set while messages wait for a count that fails; those of the quota while creations wait
    for room in it.
    """

    namespace: str
    pending_workflows: int | None
    pending_workflow_limit: int | None
    count_failing_seconds: float | None = None
    count_error: str | None = None
    quota: str | None = None
    quota_full_seconds: float | None = None
    quota_waiting: int = 0
    quota_error: str | None = None


@dataclass(frozen=True)
class MessageStatus:
    """A message in flight, with its last error if an attempt failed; ``waiting_for`` is None while it is processed."""

    topic: str
    partition: int
    offset: int
    origin: str
    in_flight_seconds: float
    waiting_for: str | None
    failed_attempts: int
    last_error: str | None


@dataclass(frozen=True)
class Status:
    """The status of a worker; until ``halts_synced`` the worker has not read all halts of its group.

    ``resumed_topics`` are not halted, and have failed messages that no worker has settled since the resume.
    """

    version: str
    worker: str
    group: str
    modes: tuple[str, ...]
    collected_at: float
    uptime_seconds: float
    halts_synced: bool
    halted_topics: tuple[HaltStatus, ...]
    resumed_topics: tuple[HaltStatus, ...]
    topics: tuple[TopicStatus, ...]
    dependencies: tuple[DependencyStatus, ...]
    namespaces: tuple[NamespaceStatus, ...]
    in_flight: int
    oldest_messages: tuple[MessageStatus, ...]
