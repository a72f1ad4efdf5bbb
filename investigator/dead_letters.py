# SPDX-License-Identifier: GPL-3.0-or-later
"""Dead letters in Kafka: each topic has a twin that keeps the messages that were given up."""

from collections.abc import Awaitable, Callable

from investigator.delivery.dead_letters import DeadLetterLimit, Outcomes, dead_letter_headers, dead_letter_topic
from investigator.delivery.engine import Failure
from investigator.delivery.messages import Delivery
from investigator.metrics import Metrics, message_type
from investigator.settings import Settings
from investigator.writer import Writer


class KafkaDeadLetters:
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
        writer: Writer,
        create_topic: Callable[[str, int], Awaitable[None]],
        redact: Callable[[str], str],
        metrics: Metrics,
    ) -> None:
        self._settings = settings
        self._writer = writer
        self._create_topic = create_topic
        self._redact = redact
        self._metrics = metrics
        self._outcomes = Outcomes(
            DeadLetterLimit(
                settings.thoth_investigator_dead_letter_run,
                settings.thoth_investigator_dead_letter_share,
                settings.thoth_investigator_dead_letter_window,
            )
        )

    def wants(self, delivery: Delivery) -> bool:
        """Tell whether a message of this topic that is given up is kept instead of halting the topic."""
        return self._settings.acks_on_fail(delivery.topic) and self._outcomes.allow_dead_letter(delivery.topic)

    def handled(self, delivery: Delivery) -> None:
        """Note that a message was handled well."""
        self._outcomes.note(delivery.topic, handled=True)

    async def keep(self, delivery: Delivery, failure: Failure) -> None:
        """Write the dead letter; raises a KafkaError where the broker does not take it."""
        topic = dead_letter_topic(delivery.partition.topic)
        await self._writer.write(
            topic,
            delivery.value,
            key=delivery.key,
            partition=await self._partition(topic, delivery),
            headers=dead_letter_headers(delivery, failure, self._settings.kafka_consumer_group_id, self._redact),
        )
        self._outcomes.note(delivery.topic, handled=False)
        self._metrics.dead_letters.labels(message_type(delivery.topic)).inc()

    async def _partition(self, topic: str, delivery: Delivery) -> int | None:
        """The same partition as the message's where the twin has it; else the key decides."""
        source = await self._writer.partitions(delivery.partition.topic)
        await self._create_topic(topic, len(source))
        number = delivery.partition.number
        return number if number in await self._writer.partitions(topic) else None
