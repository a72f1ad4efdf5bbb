# SPDX-License-Identifier: GPL-3.0-or-later
"""Idempotent writing, which the embedded broker does not know: what one refusal means for the writes after it."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from aiokafka.errors import MessageSizeTooLargeError

from investigator.kafka.producer import DurableProducer
from sandbox.broker import Broker
from sandbox.kafka_client import KafkaClient

# The client puts up to 16 KiB of small records together; no topic takes less than that.
SMALL = 20_000
TOO_LARGE = b"x" * 2 * SMALL


@pytest.fixture
async def topic(broker: Broker, deployment: str) -> str:
    """A topic that takes no large messages."""
    await broker.create_topics([deployment], config={"max.message.bytes": str(SMALL)})
    return deployment


@pytest.fixture
async def writer(broker: Broker) -> AsyncIterator[DurableProducer]:
    """An idempotent writer."""
    options = {"bootstrap_servers": broker.bootstrap_servers}
    writer = DurableProducer(options, idempotent=True, max_message_bytes=1_000_000)
    async with writer:
        yield writer


async def _values(broker: Broker, topic: str) -> list[bytes | None]:
    async with KafkaClient(broker.bootstrap_servers) as kafka:
        return sorted(record.value for record in await kafka.read(topic, 1000, timeout=2))


async def test_a_record_that_was_refused_spoils_none_of_those_after_it(
    writer: DurableProducer, topic: str, broker: Broker
) -> None:
    """The broker misses the number of the refused one, and takes nothing more from that producer."""
    await writer.write(topic, b"0")
    with pytest.raises(MessageSizeTooLargeError):
        await writer.write(topic, TOO_LARGE)
    await writer.write(topic, b"1")
    await writer.write(topic, b"2")
    assert await _values(broker, topic) == [b"0", b"1", b"2"]


async def test_a_record_that_is_refused_spoils_none_of_those_beside_it(
    writer: DurableProducer, topic: str, broker: Broker
) -> None:
    """All others that are on their way with it arrive, once each; only the refused one is said to be too large."""
    good = [b"%03d" % number for number in range(100)]
    writes = [writer.write(topic, value) for value in (*good[:50], TOO_LARGE, *good[50:])]
    ended = await asyncio.gather(*writes, return_exceptions=True)
    assert [type(each) for each in ended if isinstance(each, BaseException)] == [MessageSizeTooLargeError]
    assert await _values(broker, topic) == good


async def test_a_refusal_for_the_size_tells_the_setting_that_helps(
    writer: DurableProducer, topic: str, broker: Broker
) -> None:
    """Named with the topic and the number: with them, the same record is taken."""
    with pytest.raises(MessageSizeTooLargeError, match=f"{topic} takes no .*max.message.bytes") as caught:
        await writer.write(topic, TOO_LARGE)
    needed = str(caught.value).rpartition(" to ")[2].split()[0]
    await broker.create_topics([f"{topic}-larger"], config={"max.message.bytes": needed})
    await writer.write(f"{topic}-larger", TOO_LARGE)
