# SPDX-License-Identifier: GPL-3.0-or-later
"""Administration of topics, permissions and committed offsets, as an operator does it with Kafka's own tools."""

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


class ResourceType(IntEnum):
    """The types of resources that permissions are about, by the numbers of Kafka's protocol."""

    TOPIC = 2
    GROUP = 3


class Operation(IntEnum):
    """The operations that permissions allow or deny, by the numbers of Kafka's protocol."""

    READ = 3
    WRITE = 4
    CREATE = 5
    DESCRIBE = 8


_LITERAL, _PREFIXED, _ALLOW, _DENY, _ANY = 3, 4, 3, 2, 1


class KafkaAdmin:
    """A blocking administration client; each call opens its own connection, since brokers may restart in between."""

    def __init__(self, bootstrap_servers: str) -> None:
        self._servers = bootstrap_servers
        self._background = BackgroundLoop("kafka-admin")

    def close(self) -> None:
        """End the client's thread."""
        self._background.stop()

    def create_topic(self, name: str, partitions: int = 1, config: Mapping[str, str] | None = None) -> None:
        """Create a topic with one replica and this configuration."""
        topic = NewTopic(name, partitions, 1, topic_configs=dict(config or {}))
        self._as_admin(lambda admin: admin.create_topics([topic]))

    def delete_topic(self, name: str) -> None:
        """Delete a topic, and with it the offsets that groups have committed for it."""
        self._as_admin(lambda admin: admin.delete_topics([name]))

    def set_partition_count(self, name: str, partitions: int) -> None:
        """Add partitions to a topic until it has `partitions` of them."""
        self._as_admin(lambda admin: admin.create_partitions({name: NewPartitions(partitions)}))

    def configure_topic(self, name: str, config: Mapping[str, str]) -> None:
        """Replace the whole configuration of a topic."""
        resource = ConfigResource(ConfigResourceType.TOPIC, name, dict(config))
        self._as_admin(lambda admin: admin.alter_configs([resource]))

    def delete_records(self, topic: str, before: int, partition: int = 0) -> None:
        """Delete the records before an offset, as retention does."""
        records = {TopicPartition(topic, partition): RecordsToDelete(before_offset=before)}
        self._as_admin(lambda admin: admin.delete_records(records))

    def leader(self, topic: str) -> int:
        """Return the id of the broker that leads the first partition of a topic."""
        [described] = self._as_admin(lambda admin: admin.describe_topics([topic]))
        return int(next(each["leader"] for each in described["partitions"] if each["partition"] == 0))

    def leaders(self, topic: str) -> dict[int, int]:
        """Return the id of the broker that leads each partition of a topic; -1 for a partition without leader."""
        [described] = self._as_admin(lambda admin: admin.describe_topics([topic]))
        return {int(each["partition"]): int(each["leader"]) for each in described["partitions"]}

    def topic_exists(self, topic: str) -> bool:
        """Return whether the broker lists the topic."""
        return topic in self._as_admin(lambda admin: admin.list_topics())

    def has_members(self, group: str) -> bool:
        """Return whether a group has members and is not in a rebalance."""
        return bool(self._assignments(group))

    def is_assigned(self, group: str, topic: str) -> bool:
        """Return whether a member of the group is assigned a partition of the topic."""
        return any(topic.encode() in content for content in self._assignments(group))

    def _assignments(self, group: str) -> list[bytes]:
        (answer,) = self._as_admin(lambda admin: admin.describe_consumer_groups([group]))
        ((_, _, state, _, _, members, *_),) = answer.groups
        return [member[4] for member in members] if state == "Stable" else []

    def first_offsets(self, topic: str, count: int) -> list[int]:
        """Return the offsets of the first `count` messages in a topic's first partition."""
        partition = TopicPartition(topic, 0)

        async def read(consumer: AIOKafkaConsumer) -> list[int]:
            consumer.assign([partition])
            await consumer.seek_to_beginning(partition)
            return [(await consumer.getone()).offset for _ in range(count)]

        return self._as_member(None, read)

    def try_to_send(self, topic: str, value: bytes, partition: int) -> bool:
        """Send a message; return False if the topic lacks the partition or the broker refuses the message."""

        async def send() -> bool:
            producer = AIOKafkaProducer(bootstrap_servers=self._servers, request_timeout_ms=5000)
            try:
                await producer.start()
                await producer.send_and_wait(topic, value, partition=partition)
            except (KafkaError, AssertionError):  # aiokafka asserts that the partition is in its metadata
                return False
            finally:
                await producer.stop()
            return True

        return self._background.run(send())

    def send_idempotently(self, messages: Iterable[tuple[str, Value]]) -> None:
        """Send messages, each to its topic; each arrives exactly once, even if a broker of the cluster is killed."""

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
        """Commit an offset for a group; the group must have no members."""
        self._as_member(group, lambda consumer: self._commit(consumer, TopicPartition(topic, partition), offset))

    async def _commit(self, consumer: AIOKafkaConsumer, partition: TopicPartition, offset: int) -> None:
        consumer.assign([partition])
        await consumer.commit({partition: offset})

    def commit_metadata(self, group: str, topic: str, partitions: Sequence[int] = (0,)) -> list[str]:
        """Return the metadata of the group's last commit of each partition; an empty text without a commit."""
        wanted = [TopicPartition(topic, number) for number in partitions]
        found = self._as_member(group, lambda consumer: consumer._coordinator.fetch_committed_offsets(wanted))
        return [found[partition].metadata if partition in found else "" for partition in wanted]

    def allow(self, user: str, operation: Operation, kind: ResourceType, name: str, *, prefix: bool = False) -> None:
        """Allow a user an operation on the resource of this name, or on all whose names begin with it."""
        self._create_acl(_ALLOW, user, operation, kind, name, _PREFIXED if prefix else _LITERAL)

    def deny(self, user: str, operation: Operation, kind: ResourceType, name: str) -> None:
        """Deny a user an operation on a resource, even if another ACL allows it."""
        self._create_acl(_DENY, user, operation, kind, name, _LITERAL)

    def remove_denials(self, user: str) -> None:
        """Delete all ACLs that deny a user anything."""
        request = DeleteAclsRequest(_ANY, None, _ANY, f"User:{user}", None, _ANY, _DENY)
        self._as_admin(lambda admin: admin._send_to_controller(request))

    def _create_acl(  # noqa: PLR0913, PLR0917  the fields of an ACL
        self, permission: int, user: str, operation: Operation, kind: ResourceType, name: str, pattern: int
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


async def _with(client: Any, act: Callable[[Any], Awaitable[T]]) -> T:  # noqa: ANN401  two clients without a common type
    try:
        await client.start()
        return await act(client)
    finally:
        await (client.stop if hasattr(client, "stop") else client.close)()
