# SPDX-License-Identifier: GPL-3.0-or-later
"""aiokafka's fetcher on a broker that answers fetch requests as a test wants, without any connection."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from types import SimpleNamespace
from typing import Any, NamedTuple

from aiokafka.consumer.fetcher import Fetcher
from aiokafka.consumer.subscription_state import SubscriptionState
from aiokafka.protocol.fetch import FetchRequest, FetchRequest_v4
from aiokafka.structs import TopicPartition

from tests.support.raw_headers import builder

OFFSET_OUT_OF_RANGE = 1


class Answer(NamedTuple):
    """What the broker answers for one partition: an error code, batches, and the aborted transactions in them."""

    batches: bytes = b""
    error: int = 0
    aborted: Sequence[tuple[int, int]] = ()


class StubBroker:
    """The client of a fetcher: gives each answer once, in their order, and then none any more.

    Args:
        answers: by partition; a request gets the next one of each partition that it asks for.
    """

    _metadata_max_age_ms = 1000

    def __init__(self, answers: Mapping[TopicPartition, Sequence[Answer]]) -> None:
        self._loop = asyncio.get_running_loop()
        self._answers = {partition: list(each) for partition, each in answers.items()}
        self.cluster = SimpleNamespace(leader_for_partition=lambda _: 0, broker_metadata=lambda _: None)
        self.requests: list[FetchRequest_v4] = []

    async def send(self, _node: int, request: Any) -> SimpleNamespace:  # noqa: ANN401  aiokafka has no types
        """Answer a fetch request; wait forever if there is no answer left, and at any other request."""
        if not isinstance(request, FetchRequest):
            await asyncio.Event().wait()
        self.requests.append(request.build(FetchRequest_v4))
        topics = [(topic, [*self._next(topic, partitions)]) for topic, partitions in request.topics]
        if not any(partitions for _, partitions in topics):
            await asyncio.Event().wait()
        return SimpleNamespace(API_VERSION=4, topics=topics)

    def _next(self, topic: str, partitions: Sequence[tuple[int, int, int]]) -> list[tuple[Any, ...]]:
        found = []
        for number, _offset, _bytes in partitions:
            if answers := self._answers.get(TopicPartition(topic, number)):
                answer = answers.pop(0)
                found.append((number, answer.error, 100, 100, list(answer.aborted), answer.batches))
        return found


@asynccontextmanager
async def fetching(
    broker: StubBroker,
    *partitions: TopicPartition,
    kind: type[Fetcher] = Fetcher,
    **options: Any,  # noqa: ANN401  aiokafka's own
) -> AsyncIterator[Fetcher]:
    """Run a fetcher that is assigned the partitions and begins at their offset 0.

    Args:
        broker: answers its requests.
        partitions: all that it is assigned.
        kind: aiokafka's class or a patched one.
        options: the arguments of that class.
    """
    subscriptions = SubscriptionState()
    subscriptions.assign_from_user(set(partitions))
    for partition in partitions:
        subscriptions.subscription.assignment.state_value(partition).seek(0)
    fetcher = kind(broker, subscriptions, prefetch_backoff=0.01, **options)
    try:
        yield fetcher
    finally:
        subscriptions.unsubscribe()
        await fetcher.close()


def batch(*values: bytes, base_offset: int = 0, producer_id: int | None = None, compression: int = 0) -> bytes:
    """Return a batch with one record for each value; with a producer id it is part of a transaction."""
    made = builder(compression, producer_id=producer_id)
    for offset, value in enumerate(values):
        made.append(offset, 1000, None, value, [])
    content = bytes(made.build())
    return base_offset.to_bytes(8, "big") + content[8:]
