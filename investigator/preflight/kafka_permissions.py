# SPDX-License-Identifier: GPL-3.0-or-later
"""Which rights in Kafka a worker lacks. Later, the lack of one shows at best in that nothing happens.

Each question is a request that changes nothing, whatever the answer: brokers look at rights before anything else.
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

from investigator.kafka.retry import retry_while_retriable

_NO_OFFSET = 2**62  # beyond the end of every topic, so that nothing is sent
_NO_RECORDS = b""
_TIMEOUT_MS = 5000


async def missing_permissions(
    options: Mapping[str, Any], *, group: str, read: Collection[str], written: Collection[str]
) -> list[str]:
    """Give what the user may not do but has to, as "READ on topic x".

    Args:
        options: how to reach the brokers, as aiokafka's clients take it.
        group: the consumer group to be a member of.
        read: topics to read.
        written: topics to write to; those that do not exist are passed over.

    Raises:
        KafkaError: the brokers can't be asked.
    """
    client = AIOKafkaClient(**options)
    try:
        await client.bootstrap()
        return await retry_while_retriable(lambda: _missing_permissions(_AclProbe(client), group, read, written))
    finally:
        await client.close()


async def _missing_permissions(
    questions: "_AclProbe", group: str, read: Collection[str], written: Collection[str]
) -> list[str]:
    hidden, leaders = await questions.topics({*read, *written})
    return [
        *(f"DESCRIBE on topic {topic}" for topic in sorted(hidden)),
        *(f"READ on topic {topic}" for topic in await questions.unreadable(_by_leader(leaders, read))),
        *(f"WRITE on topic {topic}" for topic in await questions.unwritable(_by_leader(leaders, written))),
        *([] if await questions.can_join(group) else [f"READ on group {group}"]),
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
        """Tell which topics are hidden, and the leaders of the others' first partitions."""
        request = MetadataRequest(sorted(names), allow_auto_topic_creation=False)
        answer = await self._client.send(self._client.get_random_node(), request)
        hidden = {name for code, name, *_ in answer.topics if code == TopicAuthorizationFailedError.errno}
        leaders = {
            name: leader
            for _, name, _, partitions in answer.topics
            for _, number, leader, *_ in partitions
            if number == 0
        }
        return hidden, leaders

    async def unreadable(self, by_leader: Mapping[int, list[str]]) -> list[str]:
        found = []
        for leader, topics in by_leader.items():
            places = [(topic, [(0, _NO_OFFSET, 1)]) for topic in topics]
            found += _refused(await self._client.send(leader, FetchRequest(0, 0, 1, 0, places)))
        return sorted(found)

    async def unwritable(self, by_leader: Mapping[int, list[str]]) -> list[str]:
        found = []
        for leader, topics in by_leader.items():
            places = [(topic, [(0, _NO_RECORDS)]) for topic in topics]
            found += _refused(await self._client.send(leader, ProduceRequest(None, -1, _TIMEOUT_MS, places)))
        return sorted(found)

    async def can_join(self, group: str) -> bool:
        refused = GroupAuthorizationFailedError.errno
        found = await self._client.send(self._client.get_random_node(), FindCoordinatorRequest(group, 0))
        if found.error_code:
            return bool(found.error_code != refused)
        answer = await self._client.send(found.coordinator_id, HeartbeatRequest(group, -1, ""))
        return bool(answer.error_code != refused)


def _refused(answer: Any) -> list[str]:  # noqa: ANN401  aiokafka's answers have no common type
    codes = ((topic, code) for topic, partitions in answer.topics for _, code, *_ in partitions)
    return [topic for topic, code in codes if code == TopicAuthorizationFailedError.errno]
