# SPDX-License-Identifier: GPL-3.0-or-later
"""The permissions in Kafka that a worker misses. At run time, a missing one often shows only as an idle worker.

Each probe is a request that changes nothing, whatever the response: brokers check permissions before anything else.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from typing import Any

from aiokafka.client import AIOKafkaClient
from aiokafka.errors import GroupAuthorizationFailedError, TopicAuthorizationFailedError
from aiokafka.protocol.coordination import FindCoordinatorRequest
from aiokafka.protocol.fetch import FetchRequest
from aiokafka.protocol.group import HeartbeatRequest
from aiokafka.protocol.metadata import MetadataRequest
from aiokafka.protocol.produce import ProduceRequest

from investigator.kafka.client_start import start_client
from investigator.kafka.retry import retry_while_retriable

_NO_OFFSET = 2**62  # after the end of every topic, so that the broker returns no records
_NO_RECORDS = b""
_TIMEOUT_MS = 5000


async def missing_permissions(
    options: Mapping[str, Any], *, group: str, read: Collection[str], written: Collection[str]
) -> list[str]:
    """Return the permissions that the user needs and does not have, each as "READ on topic x".

    Args:
        options: the connection options of aiokafka's clients.
        group: the consumer group to join.
        read: topics to read.
        written: topics to write to; those that do not exist are skipped.

    Raises:
        KafkaError: the brokers can't be reached, or do not answer.
    """
    client = AIOKafkaClient(**options)
    try:
        await start_client(client.bootstrap())
        return await retry_while_retriable(lambda: _missing_permissions(_AclProbe(client), group, read, written))
    finally:
        await client.close()


async def _missing_permissions(
    probe: "_AclProbe", group: str, read: Collection[str], written: Collection[str]
) -> list[str]:
    hidden, leaders = await probe.topics({*read, *written})
    return [
        *(f"DESCRIBE on topic {topic}" for topic in sorted(hidden)),
        *(f"READ on topic {topic}" for topic in await probe.unreadable(_by_leader(leaders, read))),
        *(f"WRITE on topic {topic}" for topic in await probe.unwritable(_by_leader(leaders, written))),
        *([] if await probe.can_join(group) else [f"READ on group {group}"]),
    ]


def _by_leader(leaders: Mapping[str, int], topics: Iterable[str]) -> dict[int, list[str]]:
    grouped = defaultdict(list)
    for topic in topics:
        if (leader := leaders.get(topic, -1)) >= 0:
            grouped[leader].append(topic)
    return grouped


class _AclProbe:
    def __init__(self, client: AIOKafkaClient) -> None:
        self._client = client

    async def topics(self, names: Iterable[str]) -> tuple[set[str], dict[str, int]]:
        """Return the topics that the user may not describe, and the leader of partition 0 of every other topic."""
        request = MetadataRequest(sorted(names), allow_auto_topic_creation=False)
        response = await self._client.send(self._client.get_random_node(), request)
        hidden = {name for code, name, *_ in response.topics if code == TopicAuthorizationFailedError.errno}
        leaders = {
            name: leader
            for _, name, _, partitions in response.topics
            for _, number, leader, *_ in partitions
            if number == 0
        }
        return hidden, leaders

    async def unreadable(self, by_leader: Mapping[int, list[str]]) -> list[str]:
        refused = []
        for leader, topics in by_leader.items():
            positions = [(topic, [(0, _NO_OFFSET, 1)]) for topic in topics]
            refused += _refused(await self._client.send(leader, FetchRequest(0, 0, 1, 0, positions)))
        return sorted(refused)

    async def unwritable(self, by_leader: Mapping[int, list[str]]) -> list[str]:
        refused = []
        for leader, topics in by_leader.items():
            batches = [(topic, [(0, _NO_RECORDS)]) for topic in topics]
            refused += _refused(await self._client.send(leader, ProduceRequest(None, -1, _TIMEOUT_MS, batches)))
        return sorted(refused)

    async def can_join(self, group: str) -> bool:
        refused = GroupAuthorizationFailedError.errno
        coordinator = await self._client.send(self._client.get_random_node(), FindCoordinatorRequest(group, 0))
        if coordinator.error_code:
            return bool(coordinator.error_code != refused)
        heartbeat = await self._client.send(coordinator.coordinator_id, HeartbeatRequest(group, -1, ""))
        return bool(heartbeat.error_code != refused)


def _refused(response: Any) -> list[str]:  # noqa: ANN401  aiokafka's responses have no common type
    codes = ((topic, code) for topic, partitions in response.topics for _, code, *_ in partitions)
    return [topic for topic, code in codes if code == TopicAuthorizationFailedError.errno]
