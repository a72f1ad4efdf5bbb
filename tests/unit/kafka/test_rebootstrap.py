# SPDX-License-Identifier: GPL-3.0-or-later
"""Brokers that move behind the same bootstrap address are found again, by every kind of client."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.client import AIOKafkaClient
from aiokafka.errors import KafkaError
from aiokafka.protocol.metadata import MetadataRequest

from investigator.kafka.patches.all_clients import patch_clients
from sandbox.tcp_ports import HOST
from tests.support.polling import until
from tests.unit.kafka.wire_broker import METADATA, Address, WireBroker, wire_broker

BOOTSTRAP_NODE = 9  # the bootstrap server is a broker as well, under another address


@pytest.fixture(autouse=True)
def patched() -> None:
    """Use the clients of a worker."""
    patch_clients()


def _options(*bootstrap: WireBroker) -> dict[str, Any]:
    servers = [f"{HOST}:{each.port}" for each in bootstrap]
    return {"bootstrap_servers": servers, "metadata_max_age_ms": 100, "request_timeout_ms": 1000}


@asynccontextmanager
async def connected(bootstrap: WireBroker, old: WireBroker) -> AsyncIterator[AIOKafkaClient]:
    """Yield a client that has learned of the old broker alone."""
    bootstrap.brokers = old.brokers = [Address(1, old.port)]
    client = AIOKafkaClient(**_options(bootstrap), retry_backoff_ms=10)
    await client.bootstrap()
    try:
        yield client
    finally:
        await client.close()


async def test_a_client_finds_brokers_that_have_all_moved() -> None:
    """It asks the bootstrap server once no broker that it knows answers."""
    async with wire_broker() as bootstrap, wire_broker() as new, AsyncExitStack() as former:
        old = await former.enter_async_context(wire_broker())
        async with connected(bootstrap, old) as client:
            assert await client.ready(1)
            new.brokers = bootstrap.brokers = [Address(1, new.port)]
            await former.aclose()
            await until(lambda: client.cluster.broker_metadata(1).port == new.port)
            assert await client.ready(1)


async def test_a_client_that_knows_a_broker_does_not_ask_the_bootstrap_server() -> None:
    """That would be one more request each time, and its answer may be older."""
    async with wire_broker() as bootstrap, wire_broker() as old, connected(bootstrap, old):
        before, asked = bootstrap.requests.count(METADATA), old.requests.count(METADATA)
        await until(lambda: old.requests.count(METADATA) > asked + 3)
        assert bootstrap.requests.count(METADATA) == before


async def test_the_next_bootstrap_server_is_asked_if_the_first_does_not_answer() -> None:
    """A bootstrap server may be away or not answer as well."""
    async with wire_broker() as silent, wire_broker() as second, wire_broker() as new, AsyncExitStack() as former:
        old = await former.enter_async_context(wire_broker())
        for each in (silent, second, old):
            each.brokers = [Address(1, old.port)]
        client = AIOKafkaClient(**_options(silent, second))
        await client.bootstrap()
        try:
            silent.silent = {METADATA}
            new.brokers = second.brokers = [Address(1, new.port)]
            await former.aclose()
            await until(lambda: client.cluster.broker_metadata(1).port == new.port)
        finally:
            await client.close()


async def test_brokers_that_come_back_under_their_address_are_found_without_a_bootstrap_server() -> None:
    """As in an outage of the network: nothing has moved, and the bootstrap address may be gone."""
    async with AsyncExitStack() as first, wire_broker() as old:
        bootstrap = await first.enter_async_context(wire_broker())
        async with connected(bootstrap, old) as client:
            await first.aclose()
            old.silent = {METADATA}
            await asyncio.wait_for(old.asked.wait(), 5)
            old.silent = set()
            before = old.requests.count(METADATA)
            await until(lambda: old.requests.count(METADATA) > before + 1)
            assert await client.ready(1)


@pytest.mark.parametrize("kind", [AIOKafkaConsumer, AIOKafkaProducer, AIOKafkaAdminClient])
async def test_every_kind_of_client_finds_them(kind: Callable[..., Any]) -> None:
    """Halts and dead letters have clients of their own."""
    async with wire_broker() as bootstrap, wire_broker() as new, AsyncExitStack() as former:
        old = await former.enter_async_context(wire_broker())
        bootstrap.brokers = old.brokers = [Address(1, old.port)]
        client = kind(**_options(bootstrap))
        await client.start()
        inner = client.client if isinstance(client, AIOKafkaProducer) else client._client
        try:
            new.brokers = bootstrap.brokers = [Address(1, new.port)]
            await former.aclose()
            await until(lambda: inner.cluster.broker_metadata(1).port == new.port)
        finally:
            await (client.close() if isinstance(client, AIOKafkaAdminClient) else client.stop())


async def test_answers_are_counted_for_the_watchdog_and_failed_requests_are_not() -> None:
    """A client without answers can't reach any broker."""
    async with wire_broker() as bootstrap, wire_broker() as old, connected(bootstrap, old) as client:
        await client.send(1, MetadataRequest([]))
        assert client.answers == 1
        old.silent = {METADATA}
        with pytest.raises(KafkaError):
            await client.send(1, MetadataRequest([]))
        assert client.answers == 1
