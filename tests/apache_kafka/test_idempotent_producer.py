# SPDX-License-Identifier: GPL-3.0-or-later
"""The idempotent producer, which the embedded broker does not support: a refused record affects no other record."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from aiokafka.errors import MessageSizeTooLargeError

from investigator.kafka.producer import DurableProducer
from sandbox.broker import Broker
from sandbox.kafka_client import KafkaClient

# More than 16 KiB, the size up to which the client batches small records: a full batch must be accepted.
MAX_BATCH_BYTES = 20_000
TOO_LARGE = b"x" * 2 * MAX_BATCH_BYTES


@pytest.fixture
async def topic(broker: Broker, deployment: str) -> str:
    """A topic that refuses large messages."""
    await broker.create_topics([deployment], config={"max.message.bytes": str(MAX_BATCH_BYTES)})
    return deployment


@pytest.fixture
async def producer(broker: Broker) -> AsyncIterator[DurableProducer]:
    """An idempotent producer."""
    options = {"bootstrap_servers": broker.bootstrap_servers}
    producer = DurableProducer(options, idempotent=True, max_message_bytes=1_000_000)
    async with producer:
        yield producer


async def _values(broker: Broker, topic: str) -> list[bytes | None]:
    async with KafkaClient(broker.bootstrap_servers) as kafka:
        return sorted(record.value for record in await kafka.read(topic, 1000, timeout=2))


async def test_a_refused_record_does_not_affect_later_records(
    producer: DurableProducer, topic: str, broker: Broker
) -> None:
    """The broker misses the refused record's sequence number and refuses all later records of that producer id."""
    await producer.write(topic, b"0")
    with pytest.raises(MessageSizeTooLargeError):
        await producer.write(topic, TOO_LARGE)
    await producer.write(topic, b"1")
    await producer.write(topic, b"2")
    assert await _values(broker, topic) == [b"0", b"1", b"2"]


async def test_a_refused_record_does_not_affect_concurrent_records(
    producer: DurableProducer, topic: str, broker: Broker
) -> None:
    """All records that are sent with it arrive exactly once; only the refused one raises an error."""
    good = [b"%03d" % number for number in range(100)]
    writes = [producer.write(topic, value) for value in (*good[:50], TOO_LARGE, *good[50:])]
    results = await asyncio.gather(*writes, return_exceptions=True)
    assert [type(each) for each in results if isinstance(each, BaseException)] == [MessageSizeTooLargeError]
    assert await _values(broker, topic) == good


async def test_a_refusal_of_a_large_record_names_the_topic_setting_and_its_value(
    producer: DurableProducer, topic: str, broker: Broker
) -> None:
    """A topic with this value of the setting accepts the same record."""
    with pytest.raises(MessageSizeTooLargeError, match=f"{topic} takes no .*max.message.bytes") as caught:
        await producer.write(topic, TOO_LARGE)
    needed = str(caught.value).rpartition(" to ")[2].split()[0]
    await broker.create_topics([f"{topic}-larger"], config={"max.message.bytes": needed})
    await producer.write(f"{topic}-larger", TOO_LARGE)
