# SPDX-License-Identifier: GPL-3.0-or-later
"""Metrics and log lines about the delivery of messages."""

import logging
from contextlib import AbstractContextManager
from functools import cache, partial

from investigator.delivery.ledger import Partition
from investigator.delivery.messages import Delivery
from investigator.delivery.retry import Failure
from investigator.observability.logs import message_context
from investigator.observability.metrics import Metrics, message_type

_LOGGER = logging.getLogger(__name__)


class _TopicMetrics:
    """The metrics of one message type, looked up once: a lookup takes longer than an increment."""

    def __init__(self, metrics: Metrics, topic: str) -> None:
        label = message_type(topic)
        self.in_progress = metrics.in_progress.labels(label)
        self.processed = metrics.processed.labels(label)
        self.exceptions = metrics.exceptions.labels(label)
        self.for_other_groups = metrics.replays_for_other_groups.labels(label)
        self.failures = metrics.failures.labels(label)
        self.duration_seconds = metrics.message_duration_seconds.labels(label)


class Telemetry:
    """The observer of the dispatcher: counts and logs the events of each message.

    Args:
        metrics: the metrics of the worker.
    """

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics
        self._topic_metrics = cache(partial(_TopicMetrics, metrics))

    def export_committed_offset(self, partition: Partition, offset: int | None) -> None:
        """Set the committed offset of a partition; None removes it, because the worker lost the partition."""
        if offset is None:
            self._metrics.current_partition_offsets.remove(*partition)
        else:
            self._metrics.current_partition_offsets.labels(*partition).set(offset)

    def context(self, delivery: Delivery) -> AbstractContextManager[None]:
        """Return the context in which every log line names the message."""
        return message_context(*delivery.partition, delivery.offset, correlation_id=str(delivery.origin))

    def started(self, delivery: Delivery) -> None:
        """Count the message as in progress."""
        self._topic_metrics(delivery.topic).in_progress.inc()

    def stopped(self, delivery: Delivery, *, succeeded: bool) -> None:
        """Count the message as no longer in progress; as processed if it succeeded, unless it was only passed over."""
        metrics = self._topic_metrics(delivery.topic)
        metrics.in_progress.dec()
        if succeeded and delivery.is_for_other_group:
            metrics.for_other_groups.inc()
            _LOGGER.info("Replay passed over; it is addressed to another consumer group")
        elif succeeded:
            metrics.processed.inc()

    def failed_attempt(self, delivery: Delivery, error: Exception, attempts: int) -> None:
        """Count and log a failed attempt; `attempts` is the number of failed attempts so far."""
        self._topic_metrics(delivery.topic).exceptions.inc()
        _LOGGER.warning("Attempt failed attempt=%d error=%s: %s", attempts, type(error).__name__, error)

    def exhausted(self, delivery: Delivery, failure: Failure) -> None:
        """Count and log a message that failed permanently or exhausted its retries."""
        self._topic_metrics(delivery.topic).failures.inc()
        _LOGGER.error("Message failed; no attempt is left attempts=%d", failure.attempts, exc_info=failure.error)

    def finished(self, delivery: Delivery, seconds: float) -> None:
        """Record the seconds from the acceptance of a message to its end; its offset may be committed now."""
        self._topic_metrics(delivery.topic).duration_seconds.observe(seconds)
        _LOGGER.debug("Message finished")
