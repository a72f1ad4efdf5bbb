# SPDX-License-Identifier: GPL-3.0-or-later
"""Clients that are stopped at any moment leave no connection open, and raise nothing of their own."""

import asyncio

import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.client import AIOKafkaClient
from aiokafka.errors import KafkaConnectionError

from investigator.kafka.patches import client_closing
from investigator.kafka.patches.all_clients import patch_clients
from sandbox.tcp_ports import HOST
from tests.unit.kafka.wire_broker import API_VERSIONS, METADATA, Address, WireBroker, wire_broker


@pytest.fixture(autouse=True)
def patched() -> None:
    """Use the clients of a worker."""
    patch_clients()


def _client(broker: WireBroker) -> AIOKafkaClient:
    return AIOKafkaClient(bootstrap_servers=[f"{HOST}:{broker.port}"])


async def _connected_consumer(broker: WireBroker) -> AIOKafkaConsumer:
    consumer = AIOKafkaConsumer(bootstrap_servers=[f"{HOST}:{broker.port}"])
    await consumer.start()
    await consumer._client.ready(1)
    return consumer


async def test_a_connection_that_opens_while_its_client_closes_is_closed() -> None:
    """The broker accepts it slowly, as on a busy machine; aiokafka would add it to the closed client."""
    async with wire_broker() as bootstrap, wire_broker() as slow:
        bootstrap.brokers = [Address(1, slow.port)]
        client = _client(bootstrap)
        await client.bootstrap()
        slow.silent = {API_VERSIONS}
        opening = asyncio.create_task(client.ready(1))
        await asyncio.wait_for(slow.asked.wait(), 5)
        await client.close()
        slow.answer_late()
        assert not await asyncio.wait_for(opening, 5)
        await asyncio.wait_for(slow.all_closed(), 5)


async def test_a_start_that_is_cancelled_between_its_first_two_requests_closes_its_connection() -> None:
    """However long the broker takes for the second one."""
    async with wire_broker() as broker:
        broker.silent = {METADATA}
        start = asyncio.create_task(_client(broker).bootstrap())
        await asyncio.wait_for(broker.asked.wait(), 5)
        start.cancel()
        with pytest.raises(asyncio.CancelledError):
            await start
        await asyncio.wait_for(broker.all_closed(), 5)


async def test_a_consumer_that_stops_right_after_its_start_raises_nothing_and_is_closed() -> None:
    """Its tasks have not begun yet: aiokafka would raise CancelledError and leave its connections open."""
    async with wire_broker() as broker:
        consumer = await _connected_consumer(broker)
        await consumer.stop()
        await asyncio.wait_for(broker.all_closed(), 5)
        assert consumer._client._sync_task is None


async def test_a_consumer_that_stops_in_the_pause_after_a_failed_fetch_raises_nothing_and_is_closed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Aiokafka's fetch task does not expect to be cancelled there."""
    failed = asyncio.Event()

    async def fail(*_arguments: object, **_options: object) -> None:
        failed.set()
        raise KafkaConnectionError

    async with wire_broker() as broker:
        consumer = await _connected_consumer(broker)
        consumer._fetcher._retry_backoff = 60
        monkeypatch.setattr(consumer._client, "send", fail)
        consumer.assign([TopicPartition("t", 0)])
        consumer.seek(TopicPartition("t", 0), 0)
        await asyncio.wait_for(failed.wait(), 5)
        await asyncio.sleep(0)
        pending = list(consumer._fetcher._pending_tasks)
        await consumer.stop()
        assert all(task.done() for task in pending)
        await asyncio.wait_for(broker.all_closed(), 5)


async def test_a_stop_that_is_itself_cancelled_is_cancelled_and_still_closes_the_connections() -> None:
    """The caller's time is up."""
    async with wire_broker() as broker:
        consumer = await _connected_consumer(broker)
        stop = asyncio.create_task(consumer.stop())
        await asyncio.sleep(0)
        stop.cancel()
        with pytest.raises(asyncio.CancelledError):
            await stop
        await asyncio.wait_for(broker.all_closed(), 5)


async def test_a_host_that_does_not_answer_delays_connections_to_others_for_a_bounded_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A client opens one connection at a time; aiokafka would wait for `request_timeout_ms`."""
    monkeypatch.setattr(client_closing, "CONNECT_SECONDS", 0.2)
    async with wire_broker() as lost, wire_broker() as other:
        other.brokers = [Address(1, lost.port), Address(2, other.port)]
        client = _client(other)
        await client.bootstrap()
        lost.silent = {API_VERSIONS}
        try:
            answers = await asyncio.wait_for(asyncio.gather(client.ready(1), client.ready(2)), 5)
        finally:
            await client.close()
    assert tuple(answers) == (False, True)
