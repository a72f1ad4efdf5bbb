# SPDX-License-Identifier: GPL-3.0-or-later
"""How the consumer of a worker fetches: committed messages only, waiting as set, and from earlier offsets again."""

import asyncio
from collections.abc import AsyncIterator
from types import SimpleNamespace
from typing import Any, cast

import pytest
import pytest_asyncio
from aiokafka import AIOKafkaConsumer
from aiokafka.structs import TopicPartition
from faust.types import TP

from investigator.delivery.ledger import Partition
from investigator.streaming.application import Investigator, Lifecycle
from investigator.streaming.assignor import GroupSizeAssignor
from investigator.streaming.consumer import ConsumerContext, LedgerConsumer
from tests.support.partition_owner import FakePartitionOwner
from tests.unit.kafka.stub_broker import Answer, StubBroker, batch, fetching

PARTITION = TopicPartition("t", 0)
TRANSACTION = 7  # the id of its producer


@pytest_asyncio.fixture
async def consumer() -> Any:  # noqa: ANN401  what it inherits of Faust is looked into
    """Return the consumer of an application, which is not started."""
    dispatcher = FakePartitionOwner()
    context = ConsumerContext(dispatcher, lambda *_: None, GroupSizeAssignor(), fetch_max_wait_ms=321)
    app = Investigator(
        "a-group", context, (), Lifecycle(lambda: None, dispatcher, 1.0, lambda: None), broker="kafka://127.0.0.1:1"
    )
    consumer = cast("LedgerConsumer", app.consumer)
    consumer._thread.thread_loop.close()
    return consumer


@pytest_asyncio.fixture
async def client(consumer: Any) -> AsyncIterator[AIOKafkaConsumer]:  # noqa: ANN401  same
    """Return the client that Faust's thread makes for it."""
    client = consumer._thread._create_worker_consumer(consumer.transport)
    yield client
    await client.stop()


async def test_brokers_are_asked_for_committed_messages_and_hold_a_fetch_as_set(client: AIOKafkaConsumer) -> None:
    """Faust would ask for uncommitted ones, and for 1.5 seconds."""
    broker = StubBroker({})
    options = {"isolation_level": client._isolation_level, "fetch_max_wait_ms": client._fetch_max_wait_ms}
    async with fetching(broker, PARTITION, **options) as running:
        await running.fetched_records({PARTITION}, timeout=0.05)
    (request,) = broker.requests
    assert (request.isolation_level, request.max_wait_time) == (1, 321)


async def test_messages_of_an_aborted_transaction_are_passed_over(client: AIOKafkaConsumer) -> None:
    """Brokers send them along and name the transaction: it is the client that leaves them out."""
    aborted = batch(b"taken back", producer_id=TRANSACTION)
    answer = Answer(aborted + batch(b"plain", base_offset=1), aborted=[(TRANSACTION, 0)])
    async with fetching(
        StubBroker({PARTITION: [answer]}), PARTITION, isolation_level=client._isolation_level
    ) as running:
        found = await running.fetched_records({PARTITION}, timeout=5)
    assert [record.value for record in found[PARTITION]] == [b"plain"]


async def test_the_group_shares_out_partitions_by_our_assignor(client: AIOKafkaConsumer) -> None:
    """It tells each member how many workers there are."""
    (assignor,) = client._partition_assignment_strategy
    assert isinstance(assignor, GroupSizeAssignor)


async def test_a_poll_that_waits_is_woken(consumer: Any) -> None:  # noqa: ANN401  same
    """What was fetched for a partition that it did not want when it began to wait is returned at once."""
    async with fetching(StubBroker({PARTITION: [Answer(batch(b"a"))]}), PARTITION) as running:
        consumer._thread._consumer = SimpleNamespace(_fetcher=running)
        wanted: set[TopicPartition] = {TopicPartition("another", 0)}
        poll = asyncio.create_task(running.fetched_records(wanted, timeout=30))
        await asyncio.sleep(0.05)
        wanted.add(PARTITION)
        consumer._thread._wake_fetcher()
        assert [record.value for record in (await asyncio.wait_for(poll, 5))[PARTITION]] == [b"a"]


async def test_a_topic_that_goes_on_at_an_earlier_offset_gets_a_new_epoch(
    consumer: Any,  # noqa: ANN401  same
    caplog: pytest.LogCaptureFixture,
) -> None:
    """It was recreated or truncated: Faust and the ledger would take its messages for ones that they have had."""
    tp, partition = TP("t", 0), Partition("t", 0)
    ledger = consumer._context.dispatcher.ledger
    ledger.assign(partition)
    before = ledger.epoch(partition)
    consumer._read_offset[tp] = 10
    record = SimpleNamespace(
        topic="t",
        partition=0,
        offset=3,
        timestamp=1,
        timestamp_type=0,
        headers=(),
        key=None,
        value=b"",
        checksum=None,
        serialized_key_size=0,
        serialized_value_size=0,
    )
    consumer._to_message(tp, record)
    assert consumer._read_offset[tp] is None
    assert ledger.epoch(partition) != before
    assert "topic=t partition=0" in caplog.text
