# SPDX-License-Identifier: GPL-3.0-or-later
"""A blocking Kafka client, and the fields that all messages have, for tests that drive workers from outside."""

from collections.abc import Iterable, Mapping
from types import TracebackType

from aiokafka import ConsumerRecord
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.structs import RecordMetadata
from typing_extensions import Self, Unpack

from sandbox.background import BackgroundLoop
from sandbox.broker import Broker
from sandbox.kafka_client import Extras, KafkaClient, Value

COMMON = {"component_name": "tester", "service_version": "1.0.0"}


def message(fields: Mapping[str, object] | None = None, /, **more: object) -> dict[str, object]:
    """Return a message with these fields and those that every message has, but without a version."""
    return {**COMMON, **(fields or {}), **more}


class BlockingKafka:
    """The sandbox's asynchronous client with blocking methods; a context manager that connects and disconnects."""

    def __init__(self, bootstrap_servers: str) -> None:
        self._background = BackgroundLoop("kafka")
        self._client = KafkaClient(bootstrap_servers)
        self._servers = bootstrap_servers

    def __enter__(self) -> Self:
        """Connect."""
        self._background.run(self._client.__aenter__())
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Disconnect."""
        self._background.run(self._client.__aexit__(None, None, None))
        self._background.stop()

    def create_topics(self, broker: Broker, names: Iterable[str], partitions: int = 1) -> None:
        """Create the topics that do not exist yet, with this number of partitions each."""
        self._background.run(broker.create_topics(names, partitions))

    def send(self, topic: str, value: Value, **extras: Unpack[Extras]) -> RecordMetadata:
        """Send one message and wait for the broker; return its partition, offset and timestamp."""
        return self._background.run(self._client.send(topic, value, **extras), timeout=60)

    def send_all(self, topic: str, values: Iterable[Value], *, partition: int | None = None) -> None:
        """Send messages as fast as the broker accepts them, and wait until it has all of them."""
        self._background.run(self._client.send_all(topic, values, partition=partition), timeout=60)

    def read(self, topic: str, count: int, timeout: float = 20.0) -> list[ConsumerRecord]:
        """Read the first `count` messages of a topic; return fewer if they do not arrive in `timeout` seconds."""
        return self._background.run(self._client.read(topic, count, timeout), timeout + 30)

    def partitions(self, topic: str) -> int:
        """Return the number of partitions of a topic."""
        return len(self._background.run(self._client.partitions(topic)))

    def members(self, group: str) -> int:
        """Return the number of members of a consumer group; 0 during a rebalance."""
        return self._background.run(self._members(group))

    async def _members(self, group: str) -> int:
        admin = AIOKafkaAdminClient(bootstrap_servers=self._servers)
        await admin.start()
        try:
            (response,) = await admin.describe_consumer_groups([group])
        finally:
            await admin.close()
        (described,) = response.to_object()["groups"]
        return len(described["members"]) if described["state"] == "Stable" else 0

    def committed(self, group: str, topic: str) -> dict[int, int]:
        """Return the committed offset of a group by partition, without the partitions that have none."""
        return self._background.run(self._client.committed(group, topic))
