# SPDX-License-Identifier: GPL-3.0-or-later
"""What an operator does to topics and groups, and what can be seen of commits."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from enum import IntEnum
from typing import Any, TypeVar

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewPartitions, NewTopic, RecordsToDelete
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import KafkaError
from aiokafka.protocol.admin import CreateAclsRequest, DeleteAclsRequest

from sandbox.background import BackgroundLoop
from sandbox.kafka_client import Value, encode

T = TypeVar("T")


class Kind(IntEnum):
    """What somebody may have rights on, by the numbers of Kafka's protocol."""

    TOPIC = 2
    GROUP = 3


class Operation(IntEnum):
    """What somebody may do, by the numbers of Kafka's protocol."""

    READ = 3
    WRITE = 4
    CREATE = 5
    DESCRIBE = 8


_LITERAL, _PREFIXED, _ALLOW, _DENY, _ANY = 3, 4, 3, 2, 1


class Operator:
    """Changes what is in a broker; each call connects anew, since it may be the first one after a restart."""

    def __init__(self, bootstrap_servers: str) -> None:
        self._servers = bootstrap_servers
        self._background = BackgroundLoop("operator")

    def close(self) -> None:
        """End its thread."""
        self._background.stop()

    def create_topic(self, name: str, partitions: int = 1, config: Mapping[str, str] | None = None) -> None:
        """Create a topic on one broker, with that configuration."""
        topic = NewTopic(name, partitions, 1, topic_configs=dict(config or {}))
        self._as_admin(lambda admin: admin.create_topics([topic]))

    def delete_topic(self, name: str) -> None:
        """Delete a topic and what groups have committed of it."""
        self._as_admin(lambda admin: admin.delete_topics([name]))

    def grow_topic(self, name: str, partitions: int) -> None:
        """Let a topic have that many partitions in all."""
        self._as_admin(lambda admin: admin.create_partitions({name: NewPartitions(partitions)}))

    def configure_topic(self, name: str, config: Mapping[str, str]) -> None:
        """Change the configuration of a topic, all of it."""
        resource = ConfigResource(ConfigResourceType.TOPIC, name, dict(config))
        self._as_admin(lambda admin: admin.alter_configs([resource]))

    def delete_records(self, topic: str, before: int, partition: int = 0) -> None:
        """Delete what lies before an offset, as retention does."""
        place = {TopicPartition(topic, partition): RecordsToDelete(before_offset=before)}
        self._as_admin(lambda admin: admin.delete_records(place))

    def leader(self, topic: str) -> int:
        """Give the number of the broker that leads the first partition of a topic."""
        [described] = self._as_admin(lambda admin: admin.describe_topics([topic]))
        return int(next(place["leader"] for place in described["partitions"] if place["partition"] == 0))

    def lacks(self, topic: str) -> bool:
        """Tell whether there is no such topic."""
        return topic not in self._as_admin(lambda admin: admin.list_topics())

    def has_members(self, group: str) -> bool:
        """Tell whether a group has shared its partitions among its members."""
        return bool(self._assignments(group))

    def reads(self, group: str, topic: str) -> bool:
        """Tell whether a member of the group has a partition of the topic."""
        return any(topic.encode() in content for content in self._assignments(group))

    def _assignments(self, group: str) -> list[bytes]:
        (answer,) = self._as_admin(lambda admin: admin.describe_consumer_groups([group]))
        ((_, _, state, _, _, members, *_),) = answer.groups
        return [member[4] for member in members] if state == "Stable" else []

    def first_offsets(self, topic: str, count: int) -> list[int]:
        """Give the offsets of the first messages of a topic's first partition."""
        place = TopicPartition(topic, 0)

        async def read(consumer: AIOKafkaConsumer) -> list[int]:
            consumer.assign([place])
            await consumer.seek_to_beginning(place)
            return [(await consumer.getone()).offset for _ in range(count)]

        return self._as_member(None, read)

    def try_to_send(self, topic: str, value: bytes, partition: int) -> bool:
        """Send a message; tells whether the topic has that partition and took it."""

        async def send() -> bool:
            producer = AIOKafkaProducer(bootstrap_servers=self._servers, request_timeout_ms=5000)
            try:
                await producer.start()
                await producer.send_and_wait(topic, value, partition=partition)
            except (KafkaError, AssertionError):  # the client's word for a partition that it does not know
                return False
            finally:
                await producer.stop()
            return True

        return self._background.run(send())

    def send_surely(self, messages: Iterable[tuple[str, Value]]) -> None:
        """Send messages, each to its topic; every one arrives once, whatever happens to one of several brokers."""

        async def send() -> None:
            producer = AIOKafkaProducer(bootstrap_servers=self._servers, acks="all", enable_idempotence=True)
            try:
                await producer.start()
                sent = [await producer.send(topic, encode(value)) for topic, value in messages]
                await asyncio.gather(*sent)
            finally:
                await producer.stop()

        self._background.run(send(), timeout=60)

    def commit(self, group: str, topic: str, offset: int, partition: int = 0) -> None:
        """Commit an offset for a group that has no members now."""
        self._as_member(group, lambda consumer: self._commit(consumer, TopicPartition(topic, partition), offset))

    async def _commit(self, consumer: AIOKafkaConsumer, place: TopicPartition, offset: int) -> None:
        consumer.assign([place])
        await consumer.commit({place: offset})

    def metadata(self, group: str, topic: str, partitions: Sequence[int] = (0,)) -> list[str]:
        """Give the text that the group's last commit of each partition came with."""
        places = [TopicPartition(topic, number) for number in partitions]
        found = self._as_member(group, lambda consumer: consumer._coordinator.fetch_committed_offsets(places))
        return [found[place].metadata if place in found else "" for place in places]

    def allow(self, user: str, operation: Operation, kind: Kind, name: str, *, prefix: bool = False) -> None:
        """Give a user a right on a topic or group of that name, or on all whose names begin with it."""
        self._rule(_ALLOW, user, operation, kind, name, _PREFIXED if prefix else _LITERAL)

    def deny(self, user: str, operation: Operation, kind: Kind, name: str) -> None:
        """Forbid it, whatever else is allowed."""
        self._rule(_DENY, user, operation, kind, name, _LITERAL)

    def undo_denials(self, user: str) -> None:
        """Forbid a user nothing any more."""
        request = DeleteAclsRequest(_ANY, None, _ANY, f"User:{user}", None, _ANY, _DENY)
        self._as_admin(lambda admin: admin._send_to_controller(request))

    def _rule(  # noqa: PLR0913, PLR0917  a rule of Kafka has so many parts
        self, permission: int, user: str, operation: Operation, kind: Kind, name: str, pattern: int
    ) -> None:
        request = CreateAclsRequest(kind, name, pattern, f"User:{user}", "*", operation, permission)
        answer = self._as_admin(lambda admin: admin._send_to_controller(request))
        assert [code for code, _ in answer.creation_responses] == [0]

    def _as_admin(self, act: Callable[[Any], Awaitable[T]]) -> T:
        async def run() -> T:
            return await _with(AIOKafkaAdminClient(bootstrap_servers=self._servers), act)

        return self._background.run(run())

    def _as_member(self, group: str | None, act: Callable[[Any], Awaitable[T]]) -> T:
        async def run() -> T:
            consumer = AIOKafkaConsumer(bootstrap_servers=self._servers, group_id=group, enable_auto_commit=False)
            return await _with(consumer, act)

        return self._background.run(run())


async def _with(client: Any, act: Callable[[Any], Awaitable[T]]) -> T:  # noqa: ANN401  two kinds without a common type
    try:
        await client.start()
        return await act(client)
    finally:
        await (client.stop if hasattr(client, "stop") else client.close)()
