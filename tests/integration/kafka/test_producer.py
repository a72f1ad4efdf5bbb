# SPDX-License-Identifier: GPL-3.0-or-later
import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiokafka.errors import KafkaError, MessageSizeTooLargeError, ProducerClosed

from investigator.kafka.producer import DurableProducer
from sandbox.broker import Broker
from sandbox.kafka_client import KafkaClient


@pytest.fixture
async def writer(broker: Broker, deployment: str) -> AsyncIterator[DurableProducer]:
    """A writer, and a topic with two partitions that is named like the deployment."""
    await broker.create_topics([deployment], partitions=2)
    options = {"bootstrap_servers": broker.bootstrap_servers}
    writer = DurableProducer(options, idempotent=broker.idempotent, max_message_bytes=1_000_000)
    async with writer:
        yield writer


def _producer(writer: DurableProducer) -> Any:  # noqa: ANN401  aiokafka has no types
    assert writer._current is not None
    return writer._current.producer


@pytest.mark.parametrize("value", [b"value", b"", None])
@pytest.mark.parametrize("key", [b"key", b"", None])
async def test_any_record_is_written_as_it_is(
    writer: DurableProducer, broker: Broker, deployment: str, key: bytes | None, value: bytes | None
) -> None:
    """A message with neither key nor value can come from anywhere, and is kept as a dead letter like any other."""
    headers = [("trace", b"x" * 20_000), ("none", None), ("empty", b"")]
    written = await writer.write(deployment, value, key=key, partition=1, headers=headers)
    async with KafkaClient(broker.bootstrap_servers) as kafka:
        [record] = await kafka.read(deployment, 1)
    assert (record.key, record.value, list(record.headers)) == (key, value, headers)
    assert (record.partition, record.offset) == (written.partition, written.offset)
    assert record.timestamp > 0


async def test_a_record_without_anything_finds_a_partition_by_itself(writer: DurableProducer, deployment: str) -> None:
    """No partition is as good as any where nothing has to stay in order."""
    assert (await writer.write(deployment, None)).partition in (0, 1)


async def test_the_dead_letter_of_the_largest_message_is_written(writer: DurableProducer, deployment: str) -> None:
    """It is larger than its message by its headers, which is no reason to lose it or to halt its topic."""
    await writer.write(deployment, b"x" * 1_000_000, headers=[("trace", b"x" * 20_000)])


async def test_a_record_that_is_too_large_is_refused_with_what_to_set(writer: DurableProducer, deployment: str) -> None:
    """The number is one that helps."""
    with pytest.raises(MessageSizeTooLargeError, match=r"KAFKA_MESSAGE_MAX_BYTES to [0-9]+ or more") as caught:
        await writer.write(deployment, b"x" * 2_000_000)
    needed = int(str(caught.value).rpartition(" to ")[2].split()[0])
    larger = DurableProducer(writer._options, idempotent=False, max_message_bytes=needed)
    async with larger:
        await larger.write(deployment, b"x" * 2_000_000)


async def test_a_producer_that_fails_for_good_is_replaced(
    writer: DurableProducer, deployment: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A fault within the client ends what sends in it; it must not take halts and dead letters with it."""
    await writer.write(deployment, b"first")

    async def fail(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(_producer(writer).client, "send", fail)
    with pytest.raises(KafkaError):
        await writer.write(deployment, b"second")
    await writer.write(deployment, b"third")


async def _never(_producer: Any) -> None:  # noqa: ANN401  aiokafka has no types
    await asyncio.Event().wait()


async def test_a_write_that_its_producer_will_never_finish_fails(writer: DurableProducer, deployment: str) -> None:
    """Nothing sends in it any more, so there is nothing to wait for, neither for this write nor for later ones."""
    await writer.write(deployment, b"first")
    waiting = asyncio.create_task(writer._with_producer(_never))
    await asyncio.sleep(0)
    _producer(writer)._sender.sender_task.cancel()
    with pytest.raises(ProducerClosed):
        await asyncio.wait_for(waiting, 20)
    await asyncio.wait_for(writer.write(deployment, b"second"), 20)


async def test_writes_that_fail_late_leave_the_new_producer_alone(writer: DurableProducer, deployment: str) -> None:
    """Each fails with its own producer, which is closed after the last of them."""
    await writer.write(deployment, b"first")
    old = _producer(writer)
    late = [asyncio.create_task(writer._with_producer(_never)) for _ in range(2)]
    await asyncio.sleep(0)
    writer._current = None
    await writer.write(deployment, b"second")
    new = _producer(writer)
    old._sender.sender_task.cancel()
    assert [type(each) for each in await asyncio.gather(*late, return_exceptions=True)] == [ProducerClosed] * 2
    await writer.write(deployment, b"third")
    assert _producer(writer) is new
    await asyncio.gather(*writer._closing)
    assert (old._closed, new._closed) == (True, False)


async def test_a_write_that_has_begun_outlives_the_failure_of_another(writer: DurableProducer, deployment: str) -> None:
    """One bad topic never stops the others: what was fine with the producer goes on, and it is closed afterwards."""
    others_failed = asyncio.Event()

    async def send_late(producer: Any) -> None:  # noqa: ANN401  aiokafka has no types
        await others_failed.wait()
        await producer.send_and_wait(deployment, b"late")

    late = asyncio.create_task(writer._with_producer(send_late))
    await writer.write(deployment, b"first")
    old = _producer(writer)
    with pytest.raises(MessageSizeTooLargeError):
        await writer.write(deployment, b"x" * 2_000_000)
    await writer.write(deployment, b"second")
    assert _producer(writer) is not old
    others_failed.set()
    await late
    await asyncio.gather(*writer._closing)
    assert old._closed
