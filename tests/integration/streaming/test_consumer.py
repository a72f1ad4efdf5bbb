# SPDX-License-Identifier: GPL-3.0-or-later
"""Messages that Faust drops around a rebalance are fetched again, and no failed commit ends a worker."""

import asyncio
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from types import SimpleNamespace
from typing import TYPE_CHECKING, cast

import faust
import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.consumer import consumer as aiokafka_consumer
from aiokafka.errors import GroupAuthorizationFailedError, TopicAuthorizationFailedError
from faust.types import TP

from investigator.delivery.ledger import CommitPosition, Partition
from investigator.kafka.patches.fetch_wait import shorten_fetch_wait_while_busy
from investigator.streaming.assignor import GroupSizeAssignor
from investigator.streaming.consumer_thread import ConsumerThread
from investigator.streaming.membership import MembershipMixin
from sandbox.broker import Broker
from sandbox.kafka_client import KafkaClient

if TYPE_CHECKING:
    from faust.transport.consumer import ThreadDelegateConsumer

MESSAGES = 20


def thread_of(client: "AIOKafkaConsumer | Refusing | RefusedGroup", reset: str = "earliest") -> ConsumerThread:
    """Return a consumer thread around a client; it has no thread of its own, so that tests await its methods."""
    app = faust.App("a-group", broker="kafka://127.0.0.1:1", consumer_auto_offset_reset=reset)
    consumer = cast("ThreadDelegateConsumer", app.consumer)
    consumer._thread.thread_loop.close()  # of Faust's own thread, which is not used
    loop = asyncio.get_running_loop()
    thread = ConsumerThread(GroupSizeAssignor(), 20, consumer, loop=loop, thread_loop=loop)
    thread._consumer = client
    return thread


@asynccontextmanager
async def fetched(broker: Broker, committed: int | None) -> AsyncIterator[tuple[AIOKafkaConsumer, TopicPartition]]:
    """Yield a client that has fetched all messages of a partition, and the partition.

    Args:
        broker: where a topic with MESSAGES messages is created.
        committed: the offset that the client's group has committed; None for no commit.
    """
    name = f"seek-{uuid.uuid4().hex[:10]}"
    await broker.create_topics([name])
    async with KafkaClient(broker.bootstrap_servers) as sender:
        await sender.send_all(name, ["{}"] * MESSAGES)
    partition = TopicPartition(name, 0)
    client = AIOKafkaConsumer(
        bootstrap_servers=broker.bootstrap_servers,
        group_id=name,
        enable_auto_commit=False,
        auto_offset_reset="earliest",
    )
    await client.start()
    try:
        client.assign([partition])
        while await client.position(partition) < MESSAGES:
            await client.getmany(partition, timeout_ms=100)
        if committed is not None:
            await client.commit({partition: committed})
        yield client, partition
    finally:
        await client.stop()


@pytest.mark.parametrize("committed", [None, 0, 7])
async def test_messages_that_were_fetched_and_dropped_are_fetched_again(broker: Broker, committed: int | None) -> None:
    """Faust seeks to the commit for that; without a commit, or with one of 0, the first messages come again too."""
    async with fetched(broker, committed) as (client, partition):
        found = await thread_of(client)._seek()
        assert found == {Partition(*partition): None if committed is None else CommitPosition(committed)}
        assert await client.position(partition) == (committed or 0)


@pytest.mark.parametrize("committed", [None, 0])
async def test_aiokafka_itself_does_not_seek(broker: Broker, committed: int | None) -> None:
    """The trap: without a commit, or with one of 0, messages that Faust dropped would be lost, and committed over."""
    async with fetched(broker, committed) as (client, partition):
        await client.seek_to_committed()
        assert await client.position(partition) == MESSAGES


async def test_a_group_with_latest_seeks_to_the_end_that_it_found_first(broker: Broker) -> None:
    """It skips messages from before its first start only, not those that came since."""
    async with fetched(broker, None) as (client, partition):
        thread = thread_of(client, "latest")
        start = await thread._seek()
        assert start == {Partition(*partition): CommitPosition(MESSAGES)}
        async with KafkaClient(broker.bootstrap_servers) as sender:
            await sender.send_all(partition.topic, ["{}"] * MESSAGES)
        while await client.position(partition) < 2 * MESSAGES:
            await client.getmany(partition, timeout_ms=100)
        assert await thread._seek() == start
        assert await client.position(partition) == MESSAGES
        await client.commit({partition: MESSAGES + 1})
        await thread._seek()
        assert thread.start_offsets() == {}


async def test_a_topic_with_room_again_does_not_wait_for_the_idle_ones(broker: Broker) -> None:
    """A poll that waits for messages of other topics returns buffered ones as soon as their topic is wanted."""
    async with fetched(broker, None) as (client, partition):
        await client.seek_to_beginning(partition)
        while partition not in client._fetcher._records:  # noqa: ASYNC110  aiokafka has no event for it
            await asyncio.sleep(0.01)
        wanted = {TopicPartition("another", 0)}
        poll = asyncio.create_task(client._fetcher.fetched_records(wanted, timeout=30))
        while not client._fetcher._fetch_waiters:  # noqa: ASYNC110  same
            await asyncio.sleep(0.01)
        wanted.add(partition)
        thread_of(client)._wake_fetcher()
        assert len((await poll)[partition]) == MESSAGES


async def test_a_started_client_shortens_its_fetches_while_busy(
    broker: Broker, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The library makes its fetcher from the name that the patch replaces."""
    monkeypatch.setattr(aiokafka_consumer, "Fetcher", aiokafka_consumer.Fetcher)
    shorten_fetch_wait_while_busy()
    async with fetched(broker, None) as (client, _):
        assert type(client._fetcher) is aiokafka_consumer.Fetcher


async def test_a_commit_of_partitions_that_were_just_revoked_is_no_error(broker: Broker) -> None:
    """They may be revoked after Faust has listed them; aiokafka raises at a commit of no partition."""
    async with fetched(broker, None) as (client, partition):
        thread = thread_of(client)
        revoked = {TP(partition.topic, 7): CommitPosition(3)}
        assert await thread._commit_positions(revoked) == {}
        assigned = {TP(*partition): CommitPosition(3)}
        assert await thread._commit_positions({**assigned, **revoked}) == assigned
        assert await client.committed(partition) == 3


class Refusing:
    """A client whose broker refuses commits of one topic, with the error that aiokafka raises."""

    _subscription = SimpleNamespace(subscription=None)

    def __init__(self, topic: str) -> None:
        self._topic = topic
        self.commits: list[set[str]] = []

    def assignment(self) -> set[TopicPartition]:
        """Return a partition of each of two topics."""
        return {TopicPartition("refused", 0), TopicPartition("other", 0)}

    async def commit(self, offsets: dict[TopicPartition, object]) -> None:
        """Raise if the refused topic is among them; the broker has committed the others."""
        self.commits.append({partition.topic for partition in offsets})
        if self._topic in self.commits[-1]:
            raise TopicAuthorizationFailedError({self._topic})


async def test_a_refused_commit_of_one_topic_does_not_fail_the_others(caplog: pytest.LogCaptureFixture) -> None:
    """The refused one is left out for a while, after one error in the log."""
    client = Refusing("refused")
    thread = thread_of(client)
    both = {TP("refused", 0): CommitPosition(3), TP("other", 0): CommitPosition(5)}
    for _ in range(2):
        committed = await thread._commit_positions(both)
        assert committed == {TP("other", 0): CommitPosition(5)}
    assert client.commits == [{"refused", "other"}, {"other"}]
    (line,) = caplog.messages
    assert "refused" in line
    assert "READ" in line


class RefusedGroup:
    """A client whose brokers refuse the group to its user."""

    def assignment(self) -> set[TopicPartition]:
        """Return one partition."""
        return {TopicPartition("t", 0)}

    async def commit(self, _offsets: dict[TopicPartition, object]) -> None:
        """Raise the error that aiokafka raises."""
        raise GroupAuthorizationFailedError("a-group")


class EndedError(Exception):
    """The end of the process."""


POSITION = CommitPosition(3)
CALLS: dict[str, Callable[[ConsumerThread], Awaitable[object]]] = {
    "commit": lambda thread: thread._commit_positions({TP("t", 0): POSITION}),
    "check of ownership": lambda thread: thread._confirm(Partition("t", 0), POSITION),
    "membership": lambda thread: membership_of(thread)._report_group_error(GroupAuthorizationFailedError("a-group")),
}


def membership_of(thread: ConsumerThread) -> MembershipMixin:
    """Return the part of a consumer that watches its membership."""
    membership = MembershipMixin()
    membership.app, membership._thread = thread.app, thread
    return membership


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS.keys())
async def test_a_worker_ends_when_its_user_may_not_read_the_group(
    call: Callable[[ConsumerThread], Awaitable[object]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It could commit nothing and decide nothing about failed messages; the line names the permission."""
    lines: list[str] = []

    def end(line: str, *values: object) -> None:
        lines.append(line % values)
        raise EndedError

    monkeypatch.setattr("investigator.streaming.fencing.end_process", end)
    with pytest.raises(EndedError):
        await call(thread_of(RefusedGroup()))
    (line,) = lines
    assert "READ on the group was revoked" in line
    assert line.endswith("group=a-group")
