# SPDX-License-Identifier: GPL-3.0-or-later
"""What Faust's consumer drops around a rebalance comes again, and no commit ends a worker."""

import asyncio
import logging
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import cast

import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import TopicAuthorizationFailedError
from faust.types import TP

from investigator.delivery.ledger import CommitPosition, Partition
from investigator.streaming.consumer_thread import ConsumerThread
from sandbox.broker import Broker
from sandbox.kafka_client import KafkaClient

MESSAGES = 20


@dataclass
class _Thread:
    """What seeks and commits of the consumer thread use of it: a real client, and one setting."""

    client: AIOKafkaConsumer
    reset: str
    app: SimpleNamespace = field(init=False)
    _beginnings: dict[Partition, int] = field(default_factory=dict)
    _refused: set[str] = field(default_factory=set)
    log: logging.Logger = field(default_factory=logging.getLogger)

    def __post_init__(self) -> None:
        self.app = SimpleNamespace(conf=SimpleNamespace(consumer_auto_offset_reset=self.reset))

    def assignment(self) -> frozenset[TopicPartition]:
        """Give the partitions of the client."""
        return frozenset(self.client.assignment())

    def _ensure_consumer(self) -> AIOKafkaConsumer:
        return self.client

    @property
    def _consumer(self) -> AIOKafkaConsumer:
        return self.client

    def _leave_refused_alone(self, topics: set[str]) -> None:
        ConsumerThread._pause_refused_topics(cast("ConsumerThread", self), topics)

    async def _seek_to_first_position(self, partitions: list[TP]) -> dict[TP, int]:
        return await ConsumerThread._seek_to_first_position(cast("ConsumerThread", self), partitions)


def thread_of(client: "AIOKafkaConsumer | Refusing", reset: str = "earliest") -> ConsumerThread:
    """Give what the consumer thread's own methods take for one, around a client."""
    return cast("ConsumerThread", _Thread(client, reset))


@asynccontextmanager
async def fetched(broker: Broker, committed: int | None) -> AsyncIterator[tuple[AIOKafkaConsumer, TopicPartition]]:
    """Give a client of a group that committed this, which has fetched all messages of a partition."""
    name = f"seek-{uuid.uuid4().hex[:10]}"
    await broker.create_topics([name])
    async with KafkaClient(broker.bootstrap_servers) as sender:
        await sender.send_all(name, ["{}"] * MESSAGES)
    place = TopicPartition(name, 0)
    client = AIOKafkaConsumer(
        bootstrap_servers=broker.bootstrap_servers,
        group_id=name,
        enable_auto_commit=False,
        auto_offset_reset="earliest",
    )
    await client.start()
    try:
        client.assign([place])
        while await client.position(place) < MESSAGES:
            await client.getmany(place, timeout_ms=100)
        if committed is not None:
            await client.commit({place: committed})
        yield client, place
    finally:
        await client.stop()


@pytest.mark.parametrize("committed", [None, 0, 7])
async def test_what_was_fetched_and_dropped_is_fetched_again(broker: Broker, committed: int | None) -> None:
    """Faust seeks to the commit for that; where there is none yet, or it is 0, the first messages come again too."""
    async with fetched(broker, committed) as (client, place):
        found = await ConsumerThread._seek_to_committed(thread_of(client))
        assert found == {place: committed}
        assert await client.position(place) == (committed or 0)


@pytest.mark.parametrize("committed", [None, 0])
async def test_aiokafka_itself_stays_where_it_is(broker: Broker, committed: int | None) -> None:
    """The trap: without a commit, or with one of 0, what Faust dropped would be lost and be committed over."""
    async with fetched(broker, committed) as (client, place):
        await client.seek_to_committed()
        assert await client.position(place) == MESSAGES


async def test_a_group_that_begins_with_what_is_new_keeps_to_where_it_was_first(broker: Broker) -> None:
    """With `latest` it never wanted what lay there before its first start; but all that came since then."""
    async with fetched(broker, None) as (client, place):
        thread = thread_of(client, "latest")
        begun = await ConsumerThread._seek_to_committed(thread)
        assert begun == {place: MESSAGES}
        async with KafkaClient(broker.bootstrap_servers) as sender:
            await sender.send_all(place.topic, ["{}"] * MESSAGES)
        while await client.position(place) < 2 * MESSAGES:
            await client.getmany(place, timeout_ms=100)
        assert await ConsumerThread._seek_to_committed(thread) == begun
        assert await client.position(place) == MESSAGES
        await client.commit({place: MESSAGES + 1})
        await ConsumerThread._seek_to_committed(thread)
        assert ConsumerThread.start_offsets(thread) == {}


async def test_a_topic_that_has_room_again_is_not_kept_waiting_by_the_quiet_ones(broker: Broker) -> None:
    """A poll that waits for messages of other topics brings those that lie ready, as soon as they are wanted."""
    async with fetched(broker, None) as (client, place):
        await client.seek_to_beginning(place)
        while place not in client._fetcher._records:  # noqa: ASYNC110  aiokafka tells nobody
            await asyncio.sleep(0.01)
        wanted = {TopicPartition("another", 0)}
        poll = asyncio.create_task(client._fetcher.fetched_records(wanted, timeout=30))
        while not client._fetcher._fetch_waiters:  # noqa: ASYNC110  same
            await asyncio.sleep(0.01)
        wanted.add(place)
        ConsumerThread._wake_fetcher(thread_of(client))
        assert len((await poll)[place]) == MESSAGES


async def test_a_commit_of_partitions_that_have_just_gone_is_no_error(broker: Broker) -> None:
    """They may go between Faust's look at them and the commit; aiokafka raises over a commit of nothing."""
    async with fetched(broker, None) as (client, place):
        thread = thread_of(client)
        gone = {TP(place.topic, 7): CommitPosition(3)}
        assert await ConsumerThread._commit_positions(thread, gone) == {}
        kept = {TP(*place): CommitPosition(3)}
        assert await ConsumerThread._commit_positions(thread, {**kept, **gone}) == kept
        assert await client.committed(place) == 3


class Refusing:
    """A broker that takes commits of all topics but one, as aiokafka tells of it."""

    _subscription = SimpleNamespace(subscription=None)

    def __init__(self, topic: str) -> None:
        self._topic = topic
        self.asked: list[set[str]] = []

    def assignment(self) -> set[TopicPartition]:
        """Give a partition of each of two topics."""
        return {TopicPartition("refused", 0), TopicPartition("other", 0)}

    async def commit(self, offsets: dict[TopicPartition, object]) -> None:
        """Raise once the answers for all partitions are there."""
        self.asked.append({place.topic for place in offsets})
        if self._topic in self.asked[-1]:
            raise TopicAuthorizationFailedError({self._topic})


async def test_a_topic_that_may_not_be_committed_takes_no_other_along(caplog: pytest.LogCaptureFixture) -> None:
    """What the broker has taken counts; the other one is left out for a while, after one error in the log."""
    client = Refusing("refused")
    thread = thread_of(client)
    both = {TP("refused", 0): CommitPosition(3), TP("other", 0): CommitPosition(5)}
    for _ in range(2):
        committed = await ConsumerThread._commit_positions(thread, both)
        assert committed == {TP("other", 0): CommitPosition(5)}
    assert client.asked == [{"refused", "other"}, {"other"}]
    (line,) = caplog.messages
    assert "refused" in line
    assert "READ" in line
