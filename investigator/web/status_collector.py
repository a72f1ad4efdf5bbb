# SPDX-License-Identifier: GPL-3.0-or-later
"""What a worker knows of itself at this moment: nobody is asked for it, so that it can be told at any time."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from prometheus_client.metrics import MetricWrapperBase

from investigator.delivery.dispatcher import Dispatcher
from investigator.delivery.halt_coordinator import HaltCoordinator
from investigator.delivery.halts import Halt
from investigator.delivery.messages import InFlightMessage
from investigator.observability.metrics import Metrics, message_type
from investigator.resilience.breaker import Breaker, BreakerView
from investigator.web.status_model import (
    DependencyStatus,
    FailedMessageStatus,
    HaltStatus,
    MessageStatus,
    NamespaceStatus,
    PartitionStatus,
    Status,
    TopicStatus,
)

# The page is for a look; more than these are counted, and the logs have them all.
_CAUSES = 20
_MESSAGES = 10

_WORKING = "worked on"


@dataclass(frozen=True)
class WorkerInfo:
    """What does not change while the worker runs; ``started`` is in seconds since 1970.

    ``topics`` has the full name of each topic that is consumed, by its base name.
    """

    version: str
    worker: str
    group: str
    modes: tuple[str, ...]
    started: float
    topics: Mapping[str, str]


@dataclass(frozen=True)
class StatusCollector:
    """Where it is known.

    ``redact`` removes passwords from a text.
    """

    identity: WorkerInfo
    dispatcher: Dispatcher
    halt_coordinator: HaltCoordinator
    breakers: Sequence[Breaker]
    metrics: Metrics
    redact: Callable[[str], str]

    def status(self, at: float, now: float) -> Status:
        """Give the status of this moment.

        Args:
            at: the moment, in seconds since 1970.
            now: the same, in the event loop's time.
        """
        identity = self.identity
        messages = sorted(self.dispatcher.in_flight(), key=lambda message: message.accepted_at)
        return Status(
            version=identity.version,
            worker=identity.worker,
            group=identity.group,
            modes=identity.modes,
            at=at,
            uptime_seconds=at - identity.started,
            halts_known=self.halt_coordinator.synced.is_set(),
            halted=self._halted(at),
            topics=self._topics(messages, now),
            dependencies=tuple(self._dependency(breaker.view, now) for breaker in self.breakers),
            namespaces=self._namespaces(),
            in_flight=len(messages),
            messages=tuple(self._message(message, now) for message in messages[:_MESSAGES]),
        )

    def _halted(self, at: float) -> tuple[HaltStatus, ...]:
        # Also those that other modes of the group consume: whoever looks here wants to know, and can resume them.
        known = {*self.identity.topics, *self.halt_coordinator.table.topics()}
        halts = [halt for topic in known if (halt := self.halt_coordinator.current_halt(topic)) is not None]
        return tuple(self._halt(halt, at) for halt in sorted(halts, key=lambda halt: (halt.since, halt.topic)))

    def _halt(self, halt: Halt, at: float) -> HaltStatus:
        causes = tuple(
            FailedMessageStatus(cause.partition, cause.offset, cause.attempts, self.redact(cause.error))
            for cause in halt.causes[:_CAUSES]
        )
        more = len(halt.causes) - len(causes)
        return HaltStatus(halt.topic, halt.since, at - halt.since, halt.by, causes, more)

    def _topics(self, messages: Sequence[InFlightMessage], now: float) -> tuple[TopicStatus, ...]:
        counts = _Counts(self.metrics)
        return tuple(
            self._topic(topic, [each for each in messages if each.delivery.topic == topic], counts, now)
            for topic in sorted(self.identity.topics)
        )

    def _topic(self, topic: str, messages: Sequence[InFlightMessage], counts: "_Counts", now: float) -> TopicStatus:
        states = Counter(map(_state, messages))
        label = message_type(topic)
        return TopicStatus(
            topic=topic,
            name=self.identity.topics[topic],
            halted=self.halt_coordinator.is_halted(topic),
            in_flight=len(messages),
            processing=states.pop(_WORKING, 0),
            waiting_for=dict(states),
            oldest_seconds=now - messages[0].accepted_at if messages else None,
            processed=counts.processed.get((label,), 0),
            failed_attempts=counts.exceptions.get((label,), 0),
            failed=counts.failures.get((label,), 0),
            dead_letters=counts.dead_letters.get((label,), 0),
            partitions=self._partitions(self.identity.topics[topic], counts),
        )

    def _partitions(self, name: str, counts: "_Counts") -> tuple[PartitionStatus, ...]:
        ledger = self.dispatcher.ledger
        mine = sorted(partition for partition in ledger.assigned() if partition.topic == name)
        return tuple(
            PartitionStatus(each.number, counts.committed.get((name, str(each.number))), ledger.commit_offset(each))
            for each in mine
        )

    def _dependency(self, view: BreakerView, now: float) -> DependencyStatus:
        return DependencyStatus(
            name=view.name,
            is_unavailable=view.is_open,
            unavailable_seconds=None if view.since is None else now - view.since,
            next_probe_seconds=None if view.next_probe is None else max(0.0, view.next_probe - now),
            failures=view.failures,
            waiting_calls=view.waiting,
            error=None if view.error is None else self.redact(view.error),
        )

    def _namespaces(self) -> tuple[NamespaceStatus, ...]:
        pending = values(self.metrics.pending_workflows)
        limits = values(self.metrics.pending_workflow_limit)
        return tuple(NamespaceStatus(name[0], pending.get(name), limit) for name, limit in sorted(limits.items()))

    def _message(self, message: InFlightMessage, now: float) -> MessageStatus:
        failure = message.last_failure or message.failure
        return MessageStatus(
            topic=message.delivery.topic,
            partition=message.delivery.partition.number,
            offset=message.delivery.offset,
            origin=str(message.delivery.origin),
            seconds=now - message.accepted_at,
            state=_state(message),
            attempts=0 if failure is None else failure.attempts,
            error=None if failure is None else self.redact(str(failure)),
        )


def _state(message: InFlightMessage) -> str:
    if message.slot.held:
        return _WORKING
    return message.waits_for or "a slot"


class _Counts:
    """The metrics that the status shows, each read once."""

    def __init__(self, metrics: Metrics) -> None:
        self.processed = values(metrics.processed)
        self.exceptions = values(metrics.exceptions)
        self.failures = values(metrics.failures)
        self.dead_letters = values(metrics.dead_letters)
        self.committed = values(metrics.current_partition_offsets)


def values(metric: MetricWrapperBase) -> dict[tuple[str, ...], int]:
    """Give what a counter or gauge shows, by the values of its labels."""
    samples = [sample for family in metric.collect() for sample in family.samples]
    return {
        tuple(sample.labels.values()): int(sample.value) for sample in samples if not sample.name.endswith("_created")
    }
