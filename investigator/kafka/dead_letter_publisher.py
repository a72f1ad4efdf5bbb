# SPDX-License-Identifier: GPL-3.0-or-later
"""A publisher of dead letters: it writes failed messages to the dead-letter topic of their topic."""

import asyncio
import logging
from collections.abc import Awaitable, Callable

from aiokafka.errors import (
    ClusterAuthorizationFailedError,
    InvalidConfigurationError,
    InvalidTopicError,
    KafkaError,
    LeaderNotAvailableError,
    MessageSizeTooLargeError,
    NotLeaderForPartitionError,
    PolicyViolationError,
    RecordListTooLargeError,
    TopicAuthorizationFailedError,
    UnknownTopicOrPartitionError,
    UnsupportedVersionError,
)

from investigator.delivery.dead_letter_limit import DeadLetterLimit, DeadLetterLimiter
from investigator.delivery.dead_letters import Headers, dead_letter_headers, dead_letter_topic
from investigator.delivery.messages import Delivery
from investigator.delivery.retry import Failure
from investigator.kafka.producer import DurableProducer
from investigator.observability.metrics import Metrics, message_type
from investigator.settings import Settings

# The errors that a producer raises for a topic that was deleted.
_DELETED = (UnknownTopicOrPartitionError, NotLeaderForPartitionError, LeaderNotAvailableError)

# The errors that an operator has to repair; after any other one, another try may succeed.
_REFUSALS = (
    ClusterAuthorizationFailedError,
    InvalidConfigurationError,
    InvalidTopicError,
    MessageSizeTooLargeError,
    PolicyViolationError,
    RecordListTooLargeError,
    TopicAuthorizationFailedError,
    UnsupportedVersionError,
)

_FIRST_PAUSE_SECONDS = 1.0
_MAX_PAUSE_SECONDS = 30.0

_LOGGER = logging.getLogger(__name__)


class DeadLetterPublisher:
    """Writes dead letters. The broker acknowledges each before the message counts as finished.

    Args:
        settings: which topics have a dead-letter topic, and the limits of dead letters per topic.
        producer: writes the records.
        create_topic: creates a topic with a number of partitions, unless it exists.
        redact: removes passwords from a text.
        metrics: counts the dead letters.
    """

    def __init__(
        self,
        settings: Settings,
        producer: DurableProducer,
        create_topic: Callable[[str, int], Awaitable[None]],
        redact: Callable[[str], str],
        metrics: Metrics,
    ) -> None:
        self._settings = settings
        self._producer = producer
        self._create_topic = create_topic
        self._redact = redact
        self._metrics = metrics
        self._known_topics: set[str] = set()
        self._limiter = DeadLetterLimiter(
            DeadLetterLimit(
                settings.thoth_investigator_dead_letter_max_consecutive,
                settings.thoth_investigator_dead_letter_max_ratio,
                settings.thoth_investigator_dead_letter_window,
            )
        )

    def accepts(self, delivery: Delivery) -> bool:
        """Return whether a failed message of this topic becomes a dead letter; otherwise it halts the topic."""
        return self._settings.acks_on_fail(delivery.topic) and self._limiter.allow_dead_letter(delivery.topic)

    def record_success(self, delivery: Delivery) -> None:
        """Count a message that was handled successfully, for the limits; not a replay for another group."""
        if not delivery.is_for_other_group:
            self._limiter.record(delivery.topic, handled=True)

    async def publish(self, delivery: Delivery, failure: Failure) -> None:
        """Write the dead letter, with as many tries as an outage of the brokers needs; the pauses grow up to 30 s.

        Raises:
            KafkaError: the brokers refuse the dead letter, and will do so again.
        """
        pause = _FIRST_PAUSE_SECONDS
        while not await self._try_to_publish(delivery, failure, pause):
            await asyncio.sleep(pause)
            pause = min(2 * pause, _MAX_PAUSE_SECONDS)
        self._limiter.record(delivery.topic, handled=False)
        self._metrics.dead_letters.labels(message_type(delivery.topic)).inc()

    async def _try_to_publish(self, delivery: Delivery, failure: Failure, pause: float) -> bool:
        try:
            await self._publish(delivery, failure)
        except (KafkaError, OSError) as error:
            if isinstance(error, _REFUSALS):
                raise
            _LOGGER.warning("Could not write the dead letter; will retry pause_seconds=%g error=%r", pause, error)
            return False
        return True

    async def _publish(self, delivery: Delivery, failure: Failure) -> None:
        headers = dead_letter_headers(delivery, failure, self._settings.kafka_consumer_group_id, self._redact)
        topic = dead_letter_topic(delivery.partition.topic)
        was_known = topic in self._known_topics
        try:
            await self._write(topic, delivery, headers)
        except _DELETED:
            if not was_known:
                raise
            self._known_topics.discard(topic)  # an operator deleted it, so create it again
            await self._write(topic, delivery, headers)

    async def _write(self, topic: str, delivery: Delivery, headers: Headers) -> None:
        await self._ensure_topic(topic, delivery.partition.topic)
        # The partition of the message, unless the dead-letter topic has fewer; then the key decides.
        number = delivery.partition.number
        partition = number if number in await self._producer.partitions(topic) else None
        await self._producer.write(topic, delivery.value, key=delivery.key, partition=partition, headers=headers)

    async def _ensure_topic(self, topic: str, source: str) -> None:
        if topic not in self._known_topics:
            await self._create_topic(topic, len(await self._producer.partitions(source)))
            self._known_topics.add(topic)
