# SPDX-License-Identifier: GPL-3.0-or-later
"""A publisher of dead letters on a real broker, as a worker has one."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from aiokafka.admin import AIOKafkaAdminClient
from prometheus_client import CollectorRegistry

from investigator.delivery.errors import PermanentError
from investigator.delivery.ledger import Partition
from investigator.delivery.messages import Delivery
from investigator.delivery.origin import Origin
from investigator.delivery.retry import Failure
from investigator.kafka.dead_letter_publisher import DeadLetterPublisher
from investigator.kafka.producer import DurableProducer
from investigator.kafka.topics import create_missing, dead_letters_topic
from investigator.observability.metrics import Metrics
from investigator.settings import load_settings
from sandbox.broker import Broker
from tests.support.required_settings import REQUIRED


class DeadLetterHarness:
    """Publishes dead letters of a topic, and counts how often the publisher creates the dead-letter topic."""

    def __init__(self, topic: str, broker: Broker, producer: DurableProducer) -> None:
        self.topic = topic
        self.dead_letter_topic = f"{topic}-dlt"
        self.creations = 0
        self._settings = load_settings(REQUIRED)
        self._options = {"bootstrap_servers": broker.bootstrap_servers}
        self._publisher = DeadLetterPublisher(self._settings, producer, self._create, str, Metrics(CollectorRegistry()))

    async def _create(self, name: str, partitions: int) -> None:
        self.creations += 1
        await create_missing(self._options, [dead_letters_topic(self._settings, name, partitions)])

    async def publish(self, value: bytes, partition: int = 0) -> None:
        """Publish the dead letter of a message of that partition."""
        origin = Origin(self.topic, partition, 7, 1_700_000_000_000)
        delivery = Delivery("thoth.repo-init", Partition(self.topic, partition), 7, None, origin, list, value)
        await self._publisher.publish(delivery, Failure(PermanentError("wrong"), attempts=1))

    async def delete_dead_letter_topic(self) -> None:
        """Delete the dead-letter topic, as an operator may do to drop its records."""
        admin: Any = AIOKafkaAdminClient(**self._options)
        try:
            await admin.start()
            await admin.delete_topics([self.dead_letter_topic])
            while self.dead_letter_topic in await admin.list_topics():  # noqa: ASYNC110  the broker sends no event
                await asyncio.sleep(0.1)
        finally:
            await admin.close()


@asynccontextmanager
async def running_harness(topic: str, broker: Broker) -> AsyncIterator[DeadLetterHarness]:
    """Create a topic of that name with three partitions, and yield a harness for it."""
    await broker.create_topics([topic], partitions=3)
    # For this time, a client retries requests for a topic that was deleted.
    options = {"bootstrap_servers": broker.bootstrap_servers, "request_timeout_ms": 3000}
    producer = DurableProducer(options, idempotent=broker.idempotent, max_message_bytes=1_000_000)
    async with producer:
        yield DeadLetterHarness(topic, broker, producer)
