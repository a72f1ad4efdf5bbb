# SPDX-License-Identifier: GPL-3.0-or-later
"""Every client is closed by the function that makes it, also if its start fails or is cancelled."""

import asyncio
import gc
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import aclosing, asynccontextmanager
from typing import Any

import pytest
from aiokafka.errors import KafkaError, ProducerClosed

from investigator.kafka.producer import DurableProducer
from investigator.kafka.topic_reader import OffsetRange, TopicReader
from investigator.kafka.topics import Topic, create_missing
from investigator.preflight.kafka_connection import explain_connection_failure
from investigator.preflight.kafka_permissions import missing_permissions
from sandbox.tcp_ports import HOST

Options = dict[str, Any]


class FakeBroker:
    """A server that accepts connections, and then either closes them or never answers.

    Attributes:
        options: the connection options of its clients.
        connected: set once a client has connected.
        open: how many connections the clients have not closed.
    """

    def __init__(self, *, silent: bool) -> None:
        self.options: Options = {}
        self.connected = asyncio.Event()
        self.open = 0
        self._silent = silent

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection until the client closes it."""
        self.open += 1
        self.connected.set()
        if not self._silent:
            writer.close()
        try:
            while await reader.read(2**16):
                pass
        except ConnectionError:
            pass  # the client has closed it too
        finally:
            self.open -= 1
            writer.close()

    async def all_closed(self) -> None:
        """Wait until the clients have closed every connection."""
        while self.open:  # noqa: ASYNC110  there is no event for it
            await asyncio.sleep(0.01)


@asynccontextmanager
async def running(*, silent: bool) -> AsyncIterator[FakeBroker]:
    """Run a fake broker; at the end fail if a client is left open.

    A client that is not closed warns when it is collected, and pytest makes an error of that.
    """
    broker = FakeBroker(silent=silent)
    server = await asyncio.start_server(broker.serve, HOST, 0)
    broker.options = {"bootstrap_servers": [f"{HOST}:{server.sockets[0].getsockname()[1]}"]}
    async with server:
        yield broker
        await asyncio.wait_for(broker.all_closed(), 5)
    gc.collect()


async def _list_topics(options: Options) -> None:
    await TopicReader(options).topics()


async def _read(options: Options) -> None:
    async with aclosing(TopicReader(options).read("topic", {0: OffsetRange()})) as records:
        await anext(records)


async def _follow(options: Options) -> None:
    async with aclosing(TopicReader(options).follow("topic", 0)) as polls:
        await anext(polls)


async def _create_topics(options: Options) -> None:
    await create_missing(options, [Topic("topic", 1, 1)])


async def _write(options: Options) -> None:
    producer = DurableProducer(options, idempotent=False, max_message_bytes=1000)
    async with producer:
        await producer.write("topic", b"value")


async def _find_permissions(options: Options) -> None:
    await missing_permissions(options, group="group", read=["topic"], written=["topic"])


async def _explain_failure(options: Options) -> None:
    await explain_connection_failure({**options, "ssl_context": None})


CLIENTS = [_list_topics, _read, _follow, _create_topics, _write, _find_permissions]


@pytest.mark.parametrize("use", [*CLIENTS, _explain_failure])
async def test_a_client_whose_start_is_cancelled_is_closed(use: Callable[[Options], Awaitable[None]]) -> None:
    """The caller's time is up, or the process ends, while a broker accepts connections and does not answer."""
    async with running(silent=True) as broker:
        task = asyncio.ensure_future(use(broker.options))
        await asyncio.wait_for(broker.connected.wait(), 5)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task


@pytest.mark.parametrize("use", CLIENTS)
async def test_a_client_whose_start_fails_is_closed(use: Callable[[Options], Awaitable[None]]) -> None:
    """The broker closes every connection."""
    async with running(silent=False) as broker:
        with pytest.raises(KafkaError) as caught:
            await use(broker.options)
        del caught  # its traceback holds the client


async def test_a_producer_that_starts_while_the_service_stops_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The service has closed its connections before this one is there, and closes none later."""
    started, closed = asyncio.Event(), asyncio.Event()

    class SlowProducer:
        """Starts when the test says so."""

        def __init__(self, **options: object) -> None:
            """Ignore the options."""

        async def start(self) -> None:
            """Wait for the test."""
            starting.set()
            await started.wait()

        async def stop(self) -> None:
            """Note it."""
            closed.set()

    starting = asyncio.Event()
    monkeypatch.setattr("investigator.kafka.producer.AIOKafkaProducer", SlowProducer)
    producer = DurableProducer({}, idempotent=False, max_message_bytes=1000)
    await producer.start()
    writing = asyncio.create_task(producer.write("topic", b"value"))
    await starting.wait()
    await producer.stop()
    started.set()
    with pytest.raises(ProducerClosed):
        await writing
    assert closed.is_set()
