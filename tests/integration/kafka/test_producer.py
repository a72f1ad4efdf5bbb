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
async def durable(broker: Broker, deployment: str) -> AsyncIterator[DurableProducer]:
    """A durable producer, and a topic with two partitions that is named like the deployment."""
    await broker.create_topics([deployment], partitions=2)
    options = {"bootstrap_servers": broker.bootstrap_servers}
    durable = DurableProducer(options, idempotent=broker.idempotent, max_message_bytes=1_000_000)
    async with durable:
        yield durable


def _client(durable: DurableProducer) -> Any:  # noqa: ANN401  aiokafka has no types
    assert durable._current is not None
    return durable._current.producer


@pytest.mark.parametrize("value", [b"value", b"", None])
@pytest.mark.parametrize("key", [b"key", b"", None])
async def test_any_record_is_written_as_it_is(
    durable: DurableProducer, broker: Broker, deployment: str, key: bytes | None, value: bytes | None
) -> None:
    """Any client can send a message with neither key nor value, and its dead letter is written like any other."""
    headers = [("trace", b"x" * 20_000), ("none", None), ("empty", b"")]
    written = await durable.write(deployment, value, key=key, partition=1, headers=headers)
    async with KafkaClient(broker.bootstrap_servers) as kafka:
        [record] = await kafka.read(deployment, 1)
    assert (record.key, record.value, list(record.headers)) == (key, value, headers)
    assert (record.partition, record.offset) == (written.partition, written.offset)
    assert record.timestamp > 0


async def test_a_record_with_neither_key_nor_value_needs_no_partition(
    durable: DurableProducer, deployment: str
) -> None:
    """Any partition will do where no order has to be preserved."""
    assert (await durable.write(deployment, None)).partition in (0, 1)


async def test_the_dead_letter_of_the_largest_message_is_written(durable: DurableProducer, deployment: str) -> None:
    """Its headers make it larger than its message; it must not be lost or halt its topic for that."""
    await durable.write(deployment, b"x" * 1_000_000, headers=[("trace", b"x" * 20_000)])


async def test_the_error_about_a_record_that_is_too_large_names_the_setting(
    durable: DurableProducer, deployment: str
) -> None:
    """A producer with the suggested value writes the record."""
    with pytest.raises(MessageSizeTooLargeError, match=r"KAFKA_MESSAGE_MAX_BYTES to [0-9]+ or more") as caught:
        await durable.write(deployment, b"x" * 2_000_000)
    needed = int(str(caught.value).rpartition(" to ")[2].split()[0])
    larger = DurableProducer(durable._options, idempotent=False, max_message_bytes=needed)
    async with larger:
        await larger.write(deployment, b"x" * 2_000_000)


async def test_a_producer_that_fails_permanently_is_replaced(
    durable: DurableProducer, deployment: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An error within aiokafka ends its sender task; later halts and dead letters must still be written."""
    await durable.write(deployment, b"first")

    async def fail(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(_client(durable).client, "send", fail)
    with pytest.raises(KafkaError):
        await durable.write(deployment, b"second")
    await durable.write(deployment, b"third")


async def _never(_producer: Any) -> None:  # noqa: ANN401  aiokafka has no types
    await asyncio.Event().wait()


async def test_a_write_fails_when_the_sender_task_of_its_producer_ends(
    durable: DurableProducer, deployment: str
) -> None:
    """Neither this write nor later ones wait for a producer that sends nothing any more."""
    await durable.write(deployment, b"first")
    waiting = asyncio.create_task(durable._with_producer(_never))
    await asyncio.sleep(0)
    _client(durable)._sender.sender_task.cancel()
    with pytest.raises(ProducerClosed):
        await asyncio.wait_for(waiting, 20)
    await asyncio.wait_for(durable.write(deployment, b"second"), 20)


async def test_writes_that_fail_late_do_not_replace_the_new_producer(durable: DurableProducer, deployment: str) -> None:
    """Each fails with its old producer, which is closed after the last of them."""
    await durable.write(deployment, b"first")
    old = _client(durable)
    late = [asyncio.create_task(durable._with_producer(_never)) for _ in range(2)]
    await asyncio.sleep(0)
    durable._current = None
    await durable.write(deployment, b"second")
    new = _client(durable)
    old._sender.sender_task.cancel()
    assert [type(each) for each in await asyncio.gather(*late, return_exceptions=True)] == [ProducerClosed] * 2
    await durable.write(deployment, b"third")
    assert _client(durable) is new
    await asyncio.gather(*durable._closing)
    assert (old._closed, new._closed) == (True, False)


async def test_a_running_write_survives_the_failure_of_another(durable: DurableProducer, deployment: str) -> None:
    """One bad topic never stops the others: the old producer finishes its other writes, and is closed then."""
    others_failed = asyncio.Event()

    async def send_late(producer: Any) -> None:  # noqa: ANN401  aiokafka has no types
        await others_failed.wait()
        await producer.send_and_wait(deployment, b"late")

    late = asyncio.create_task(durable._with_producer(send_late))
    await durable.write(deployment, b"first")
    old = _client(durable)
    with pytest.raises(MessageSizeTooLargeError):
        await durable.write(deployment, b"x" * 2_000_000)
    await durable.write(deployment, b"second")
    assert _client(durable) is not old
    others_failed.set()
    await late
    await asyncio.gather(*durable._closing)
    assert old._closed
