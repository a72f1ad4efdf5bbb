# SPDX-License-Identifier: GPL-3.0-or-later
"""Dead letters in Kafka: each topic has a twin that keeps the messages that were given up."""

from collections.abc import Awaitable, Callable

from aiokafka.errors import LeaderNotAvailableError, NotLeaderForPartitionError, UnknownTopicOrPartitionError

from investigator.delivery.dead_letter_limit import DeadLetterLimit, DeadLetterLimiter
from investigator.delivery.dead_letters import Headers, dead_letter_headers, dead_letter_topic
from investigator.delivery.messages import Delivery
from investigator.delivery.retry import Failure
from investigator.kafka.producer import DurableProducer
from investigator.observability.metrics import Metrics, message_type
from investigator.settings import Settings

# What a client says of a topic that is not there any more.
_GONE = (UnknownTopicOrPartitionError, NotLeaderForPartitionError, LeaderNotAvailableError)


class DeadLetterPublisher:
    """Writes dead letters; each is acknowledged before its message counts as done with.

    Args:
        settings: tell which topics keep their failures.
        writer: writes the records.
        create_topic: creates a topic with so many partitions where it does not exist.
        redact: removes passwords from a text.
        metrics: counts the dead letters.
    """

    def __init__(
        self,
        settings: Settings,
        writer: DurableProducer,
        create_topic: Callable[[str, int], Awaitable[None]],
        redact: Callable[[str], str],
        metrics: Metrics,
    ) -> None:
        self._settings = settings
        self._writer = writer
        self._create_topic = create_topic
        self._redact = redact
        self._metrics = metrics
        self._twins: set[str] = set()
        self._outcomes = DeadLetterLimiter(
            DeadLetterLimit(
                settings.thoth_investigator_dead_letter_max_consecutive,
                settings.thoth_investigator_dead_letter_max_ratio,
                settings.thoth_investigator_dead_letter_window,
            )
        )

    def accepts(self, delivery: Delivery) -> bool:
        """Tell whether a message of this topic that is given up is kept instead of halting the topic."""
        return self._settings.acks_on_fail(delivery.topic) and self._outcomes.allow_dead_letter(delivery.topic)

    def record_success(self, delivery: Delivery) -> None:
        """Note that a message was handled well."""
        self._outcomes.record(delivery.topic, handled=True)

    async def publish(self, delivery: Delivery, failure: Failure) -> None:
        """Write the dead letter; raises a KafkaError where the broker does not take it."""
        headers = dead_letter_headers(delivery, failure, self._settings.kafka_consumer_group_id, self._redact)
        twin = dead_letter_topic(delivery.partition.topic)
        was_there = twin in self._twins
        try:
            await self._write(twin, delivery, headers)
        except _GONE:
            if not was_there:
                raise
            self._twins.discard(twin)  # somebody deleted it
            await self._write(twin, delivery, headers)
        self._outcomes.record(delivery.topic, handled=False)
        self._metrics.dead_letters.labels(message_type(delivery.topic)).inc()

    async def _write(self, twin: str, delivery: Delivery, headers: Headers) -> None:
        await self._make_sure_of(twin, delivery.partition.topic)
        # The same partition as the message's where the twin has it; else the key decides.
        number = delivery.partition.number
        partition = number if number in await self._writer.partitions(twin) else None
        await self._writer.write(twin, delivery.value, key=delivery.key, partition=partition, headers=headers)

    async def _make_sure_of(self, twin: str, source: str) -> None:
        if twin not in self._twins:
            await self._create_topic(twin, len(await self._writer.partitions(source)))
            self._twins.add(twin)
