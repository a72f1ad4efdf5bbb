# SPDX-License-Identifier: GPL-3.0-or-later
"""A server that speaks as much of Kafka's protocol as a client needs to connect and to learn of brokers."""

import asyncio
import contextlib
import struct
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any, NamedTuple

from aiokafka.protocol.admin import ApiVersionResponse_v0
from aiokafka.protocol.metadata import MetadataResponse_v1

from sandbox.tcp_ports import HOST

METADATA, API_VERSIONS = 3, 18
TOPIC = "t"


class Address(NamedTuple):
    """A broker, as another one tells of it."""

    node: int
    port: int


class WireBroker:
    """Answers who the brokers are.

    Attributes:
        port: where it listens.
        brokers: the brokers that it tells of; none for itself alone, as node 1.
        silent: the numbers of the requests that it does not answer.
        asked: set at each request that it does not answer.
        requests: the numbers of all requests.
        open: how many connections the clients have not closed.
    """

    def __init__(self) -> None:
        self.port = 0
        self.brokers: Sequence[Address] = ()
        self.silent: set[int] = set()
        self.asked = asyncio.Event()
        self.requests: list[int] = []
        self.open = 0
        self._writers: set[asyncio.StreamWriter] = set()
        self._late: list[tuple[asyncio.StreamWriter, bytes]] = []

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer the requests of one connection until the client closes it."""
        self.open += 1
        self._writers.add(writer)
        try:
            with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
                while True:
                    await self._answer(reader, writer)
        finally:
            self.open -= 1
            self._writers.discard(writer)
            writer.close()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        (size,) = struct.unpack(">i", await reader.readexactly(4))
        api, _version, correlation = struct.unpack_from(">hhi", await reader.readexactly(size))
        self.requests.append(api)
        content = struct.pack(">i", correlation) + self._response(api).encode()
        answer = struct.pack(">i", len(content)) + content
        if api in self.silent:
            self._late.append((writer, answer))
            self.asked.set()
        else:
            writer.write(answer)
            await writer.drain()

    def answer_late(self) -> None:
        """Answer the requests that were not answered."""
        for writer, answer in self._late:
            writer.write(answer)
        self._late.clear()

    def _response(self, api: int) -> Any:  # noqa: ANN401  aiokafka has no types
        if api == API_VERSIONS:
            return ApiVersionResponse_v0(0, [(METADATA, 0, 1), (API_VERSIONS, 0, 0)])
        brokers = self.brokers or [Address(1, self.port)]
        topics: list[Any] = [(0, TOPIC, False, [(0, 0, brokers[0].node, [], [])])]
        return MetadataResponse_v1([(node, HOST, port, None) for node, port in brokers], brokers[0].node, topics)

    def cut(self) -> None:
        """Close all connections."""
        for writer in self._writers:
            writer.transport.abort()

    async def all_closed(self) -> None:
        """Wait until the clients have closed every connection."""
        while self.open:  # noqa: ASYNC110  there is no event for it
            await asyncio.sleep(0.01)


@asynccontextmanager
async def wire_broker() -> AsyncIterator[WireBroker]:
    """Run one; at the end it is unreachable."""
    broker = WireBroker()
    server = await asyncio.start_server(broker.serve, HOST, 0)
    broker.port = server.sockets[0].getsockname()[1]
    try:
        yield broker
    finally:
        server.close()
        broker.cut()
