# SPDX-License-Identifier: GPL-3.0-or-later
"""What the delivery engine tells of messages, as metrics and log lines."""

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
    """The metrics of one message type; to look them up each time takes longer than to count."""

    def __init__(self, metrics: Metrics, topic: str) -> None:
        label = message_type(topic)
        self.in_progress = metrics.in_progress.labels(label)
        self.processed = metrics.processed.labels(label)
        self.exceptions = metrics.exceptions.labels(label)
        self.failures = metrics.failures.labels(label)
        self.handling_seconds = metrics.message_duration_seconds.labels(label)


class Telemetry:
    """Counts and logs what happens to messages; the delivery engine's observer.

    Args:
        metrics: where to count.
    """

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics
        self._meters = cache(partial(_TopicMetrics, metrics))

    def show_position(self, partition: Partition, offset: int | None) -> None:
        """Show the next offset to commit of a partition; None: another worker shows it from now on."""
        if offset is None:
            self._metrics.current_partition_offsets.remove(*partition)
        else:
            self._metrics.current_partition_offsets.labels(*partition).set(offset)

    def context(self, delivery: Delivery) -> AbstractContextManager[None]:
        """Let each line that is logged for the message say which one it is."""
        return message_context(*delivery.partition, delivery.offset, correlation_id=str(delivery.origin))

    def started(self, delivery: Delivery) -> None:
        """The message is being worked on."""
        self._meters(delivery.topic).in_progress.inc()

    def stopped(self, delivery: Delivery, *, succeeded: bool) -> None:
        """The message is not being worked on any more."""
        self._meters(delivery.topic).in_progress.dec()
        if succeeded:
            self._meters(delivery.topic).processed.inc()

    def failed_attempt(self, delivery: Delivery, error: Exception, attempts: int) -> None:
        """An attempt failed; so many have failed by now."""
        self._meters(delivery.topic).exceptions.inc()
        _LOGGER.warning("attempt %d failed: %s: %s", attempts, type(error).__name__, error)

    def exhausted(self, delivery: Delivery, failure: Failure) -> None:
        """No attempt is left."""
        self._meters(delivery.topic).failures.inc()
        _LOGGER.error("given up after %d attempts", failure.attempts, exc_info=failure.error)

    def finished(self, delivery: Delivery, seconds: float) -> None:
        """Its offset may be committed, so many seconds after it was taken up."""
        self._meters(delivery.topic).handling_seconds.observe(seconds)
        _LOGGER.debug("done")
