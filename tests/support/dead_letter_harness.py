# SPDX-License-Identifier: GPL-3.0-or-later
"""Keeps dead letters on a real broker, as a worker does."""

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
from tests.unit.settings.test_loader import REQUIRED


class Keeper:
    """Keeps messages of a topic, and counts how often its twin was asked about."""

    def __init__(self, topic: str, broker: Broker, writer: DurableProducer) -> None:
        self.topic = topic
        self.twin = f"{topic}-dlt"
        self.asked = 0
        self._settings = load_settings(REQUIRED)
        self._options = {"bootstrap_servers": broker.bootstrap_servers}
        self._letters = DeadLetterPublisher(self._settings, writer, self._create, str, Metrics(CollectorRegistry()))

    async def _create(self, name: str, partitions: int) -> None:
        self.asked += 1
        await create_missing(self._options, [dead_letters_topic(self._settings, name, partitions)])

    async def keep(self, value: bytes, partition: int = 0) -> None:
        """Keep a message of that partition."""
        origin = Origin(self.topic, partition, 7, 1_700_000_000_000)
        delivery = Delivery("thoth.repo-init", Partition(self.topic, partition), 7, None, origin, list, value)
        await self._letters.publish(delivery, Failure(PermanentError("wrong"), attempts=1))

    async def lose_twin(self) -> None:
        """Delete the twin, as somebody may who wants to be rid of its content."""
        admin: Any = AIOKafkaAdminClient(**self._options)
        await admin.start()
        try:
            await admin.delete_topics([self.twin])
            while self.twin in await admin.list_topics():  # noqa: ASYNC110  the broker tells nobody when
                await asyncio.sleep(0.1)
        finally:
            await admin.close()


@asynccontextmanager
async def keeping(topic: str, broker: Broker) -> AsyncIterator[Keeper]:
    """Give a keeper for a topic of that name, which is made with three partitions."""
    await broker.create_topics([topic], partitions=3)
    # Clients hope for so long that a topic that is gone comes back by itself.
    options = {"bootstrap_servers": broker.bootstrap_servers, "request_timeout_ms": 3000}
    writer = DurableProducer(options, idempotent=broker.idempotent, max_message_bytes=1_000_000)
    async with writer:
        yield Keeper(topic, broker, writer)
