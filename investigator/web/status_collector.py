# SPDX-License-Identifier: GPL-3.0-or-later
"""Collects the worker's status from memory only, without I/O, so that the page works when every dependency fails."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from prometheus_client.metrics import MetricWrapperBase

from investigator.argo.admission import Admission
from investigator.delivery.dispatcher import Dispatcher
from investigator.delivery.halt_coordinator import HaltCoordinator
from investigator.delivery.halts import FailedMessage, ResumeAction
from investigator.delivery.messages import InFlightMessage
from investigator.observability.metrics import Metrics, message_type
from investigator.resilience.breaker_group import BreakerGroup
from investigator.resilience.breaker_view import BreakerView, OperationView
from investigator.web.namespace_status import namespace_statuses
from investigator.web.status_model import (
    DependencyStatus,
    FailedMessageStatus,
    HaltStatus,
    MessageStatus,
    NamespaceStatus,
    OperationStatus,
    PartitionStatus,
    Status,
    TopicStatus,
)

# The page is an overview: it counts what exceeds these numbers. The logs have every message.
_MAX_FAILED_MESSAGES = 20
_MAX_OLDEST_MESSAGES = 10


@dataclass(frozen=True)
class WorkerInfo:
    """The facts about a worker that do not change while it runs; ``started`` is in seconds since 1970.

    ``topics`` has the full name of each topic that the worker consumes, by its base name.
    """

    version: str
    worker: str
    group: str
    modes: tuple[str, ...]
    started: float
    topics: Mapping[str, str]


@dataclass(frozen=True)
class StatusCollector:
    """Collects the status from the parts of a worker.

    ``redact`` removes passwords from a text; ``admissions`` are those of the namespaces, by name.
    """

    worker_info: WorkerInfo
    dispatcher: Dispatcher
    halt_coordinator: HaltCoordinator
    breakers: Sequence[BreakerGroup]
    metrics: Metrics
    redact: Callable[[str], str]
    admissions: Mapping[str, Admission] = field(default_factory=dict)

    def status(self, at: float, now: float) -> Status:
        """Return the current status.

        Args:
            at: the current time, in seconds since 1970.
            now: the same, in the event loop's time.
        """
        info = self.worker_info
        messages = sorted(self.dispatcher.in_flight(), key=lambda message: message.accepted_at)
        return Status(
            version=info.version,
            worker=info.worker,
            group=info.group,
            modes=info.modes,
            collected_at=at,
            uptime_seconds=at - info.started,
            halts_synced=self.halt_coordinator.synced.is_set(),
            halted_topics=self._sorted(self._halted(topic, at) for topic in self._known_topics()),
            resumed_topics=self._sorted(self._resumed(topic, at) for topic in self._known_topics()),
            topics=self._topics(messages, now),
            dependencies=tuple(self._dependency(group.view, now) for group in self.breakers),
            namespaces=self._namespaces(now),
            in_flight=len(messages),
            oldest_messages=tuple(self._message(message, now) for message in messages[:_MAX_OLDEST_MESSAGES]),
        )

    def _known_topics(self) -> set[str]:
        # Include topics that only other modes of the group consume, so that an operator can resume them here too.
        return {*self.worker_info.topics, *self.halt_coordinator.table.topics()}

    def _sorted(self, found: Iterable[HaltStatus | None]) -> tuple[HaltStatus, ...]:
        return tuple(sorted((each for each in found if each), key=lambda each: (each.since, each.topic)))

    def _halted(self, topic: str, at: float) -> HaltStatus | None:
        halt = self.halt_coordinator.current_halt(topic)
        if halt is None:
            return None
        halting = [self._failed_message(cause, None) for cause in halt.causes]
        return _halt_status(topic, halt.since, halt.by, at, [*halting, *self._resumed_messages(topic)])

    def _resumed(self, topic: str, at: float) -> HaltStatus | None:
        resumed = self.halt_coordinator.resumed_messages(topic)
        if not resumed or self.halt_coordinator.is_halted(topic):
            return None
        first = min(resumed, key=lambda record: record.since)
        return _halt_status(topic, first.since, first.by, at, self._resumed_messages(topic))

    def _resumed_messages(self, topic: str) -> list[FailedMessageStatus]:
        resumed = self.halt_coordinator.resumed_messages(topic)
        return [self._failed_message(each.cause, each.action) for each in resumed if each.cause is not None]

    def _failed_message(self, failed: FailedMessage, action: ResumeAction | None) -> FailedMessageStatus:
        what = None if action is None else action.value
        return FailedMessageStatus(failed.partition, failed.offset, failed.attempts, self.redact(failed.error), what)

    def _topics(self, messages: Sequence[InFlightMessage], now: float) -> tuple[TopicStatus, ...]:
        counts = _Counts(self.metrics)
        return tuple(
            self._topic(topic, [each for each in messages if each.delivery.topic == topic], counts, now)
            for topic in sorted(self.worker_info.topics)
        )

    def _topic(self, topic: str, messages: Sequence[InFlightMessage], counts: "_Counts", now: float) -> TopicStatus:
        waiting_for = Counter(reason for reason in map(_waiting_for, messages) if reason is not None)
        label = message_type(topic)
        full_name = self.worker_info.topics[topic]
        return TopicStatus(
            topic=topic,
            full_name=full_name,
            halted=self.halt_coordinator.is_halted(topic),
            in_flight=len(messages),
            processing=len(messages) - waiting_for.total(),
            waiting_for=dict(waiting_for),
            oldest_in_flight_seconds=now - messages[0].accepted_at if messages else None,
            processed=counts.processed.get((label,), 0),
            failed_attempts=counts.exceptions.get((label,), 0),
            failed=counts.failures.get((label,), 0),
            dead_letters=counts.dead_letters.get((label,), 0),
            partitions=self._partitions(full_name, counts),
        )

    def _partitions(self, full_name: str, counts: "_Counts") -> tuple[PartitionStatus, ...]:
        ledger = self.dispatcher.ledger
        assigned = sorted(partition for partition in ledger.assigned() if partition.topic == full_name)
        return tuple(
            PartitionStatus(
                each.number, counts.committed.get((full_name, str(each.number))), ledger.commit_offset(each)
            )
            for each in assigned
        )

    def _dependency(self, view: BreakerView, now: float) -> DependencyStatus:
        return DependencyStatus(
            name=view.name,
            is_unavailable=view.is_open,
            unavailable_seconds=None if view.since is None else now - view.since,
            next_probe_seconds=None if view.next_probe is None else max(0.0, view.next_probe - now),
            consecutive_failures=view.failures,
            waiting_calls=view.waiting,
            last_error=None if view.error is None else self.redact(view.error),
            unavailable_operations=tuple(self._operation(each, now) for each in view.operations),
        )

    def _operation(self, view: OperationView, now: float) -> OperationStatus:
        return OperationStatus(
            operation=view.operation,
            unavailable_seconds=now - view.since,
            next_probe_seconds=max(0.0, view.next_probe - now),
            waiting_calls=view.waiting,
            last_error=None if view.error is None else self.redact(view.error),
            others_succeed=view.is_own,
        )

    def _namespaces(self, now: float) -> tuple[NamespaceStatus, ...]:
        pending = sample_values(self.metrics.pending_workflows)
        limits = sample_values(self.metrics.pending_workflow_limit)
        views = [admission.view for admission in self.admissions.values()]
        return namespace_statuses(views, pending, limits, now, self.redact)

    def _message(self, message: InFlightMessage, now: float) -> MessageStatus:
        failure = message.last_failure or message.failure
        return MessageStatus(
            topic=message.delivery.topic,
            partition=message.delivery.partition.number,
            offset=message.delivery.offset,
            origin=str(message.delivery.origin),
            in_flight_seconds=now - message.accepted_at,
            waiting_for=_waiting_for(message),
            failed_attempts=0 if failure is None else failure.attempts,
            last_error=None if failure is None else self.redact(str(failure)),
        )


def _halt_status(
    topic: str, since: float, by: str, at: float, failed_messages: Sequence[FailedMessageStatus]
) -> HaltStatus:
    shown = tuple(failed_messages[:_MAX_FAILED_MESSAGES])
    return HaltStatus(topic, since, at - since, by, shown, len(failed_messages) - len(shown))


def _waiting_for(message: InFlightMessage) -> str | None:
    return None if message.slot.held else message.waits_for or "a slot"


class _Counts:
    """The values of the metrics that the status shows, each metric read once."""

    def __init__(self, metrics: Metrics) -> None:
        self.processed = sample_values(metrics.processed)
        self.exceptions = sample_values(metrics.exceptions)
        self.failures = sample_values(metrics.failures)
        self.dead_letters = sample_values(metrics.dead_letters)
        self.committed = sample_values(metrics.current_partition_offsets)


def sample_values(metric: MetricWrapperBase) -> dict[tuple[str, ...], int]:
    """Return the values of a counter or gauge by the values of its labels."""
    samples = [sample for family in metric.collect() for sample in family.samples]
    return {
        tuple(sample.labels.values()): int(sample.value) for sample in samples if not sample.name.endswith("_created")
    }
