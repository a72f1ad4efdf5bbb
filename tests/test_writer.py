# SPDX-License-Identifier: GPL-3.0-or-later
from collections.abc import AsyncIterator

import pytest

from investigator.writer import Writer
from sandbox.broker import Broker
from sandbox.kafka_client import KafkaClient


@pytest.fixture
async def writer(broker: Broker, deployment: str) -> AsyncIterator[Writer]:
    """A writer, and a topic with two partitions that is named like the deployment."""
    await broker.create_topics([deployment], partitions=2)
    options = {"bootstrap_servers": broker.bootstrap_servers}
    writer = Writer(options, idempotent=broker.idempotent, max_request_size=1_000_000)
    async with writer:
        yield writer


@pytest.mark.parametrize("value", [b"value", b"", None])
@pytest.mark.parametrize("key", [b"key", b"", None])
async def test_any_record_is_written_as_it_is(
    writer: Writer, broker: Broker, deployment: str, key: bytes | None, value: bytes | None
) -> None:
    """A message with neither key nor value can come from anywhere, and is kept as a dead letter like any other."""
    headers = [("trace", b"x" * 20_000)]
    written = await writer.write(deployment, value, key=key, partition=1, headers=headers)
    async with KafkaClient(broker.bootstrap_servers) as kafka:
        [record] = await kafka.read(deployment, 1)
    assert (record.key, record.value, list(record.headers)) == (key, value, headers)
    assert (record.partition, record.offset) == (written.partition, written.offset)
    assert record.timestamp > 0


async def test_a_record_without_anything_finds_a_partition_by_itself(writer: Writer, deployment: str) -> None:
    """No partition is as good as any where nothing has to stay in order."""
    assert (await writer.write(deployment, None)).partition in (0, 1)
