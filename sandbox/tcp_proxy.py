# SPDX-License-Identifier: GPL-3.0-or-later
"""A TCP proxy in front of a server, which keeps its data while the proxy is closed, slow or stalled."""

import asyncio
import contextlib
import ssl
from types import TracebackType

from typing_extensions import Self

from sandbox.background import BackgroundLoop
from sandbox.tcp_ports import HOST, free_port

__all__ = ["TcpProxy"]

_CHUNK = 256 * 1024
_POLL_SECONDS = 0.02


class TcpProxy:
    """A proxy, in its own thread, that forwards TCP connections to another port of this machine.

    Args:
        target: the port of the server.
        tls: the TLS context for connections of clients; the connections to the server are not encrypted.

    Attributes:
        latency: how long the proxy holds each chunk of data, in seconds.
        stalled: whether the proxy holds all data until this is False again; connections stay open.
    """

    def __init__(self, target: int, tls: ssl.SSLContext | None = None) -> None:
        self.port = free_port()
        self._target = target
        self._tls = tls
        self.latency = 0.0
        self.stalled = False
        self._background: BackgroundLoop | None = None

    def open(self) -> None:
        """Accept connections; does nothing while the proxy is open."""
        if self._background is None:
            self._background = BackgroundLoop("tcp-proxy")
            self._background.run(self._listen())

    def retarget(self, target: int) -> None:
        """Forward new connections to another port; those that are open stay."""
        self._target = target

    def close(self) -> None:
        """Close all connections and refuse new ones; does nothing while the proxy is closed."""
        if self._background is not None:
            self._background.stop()
            self._background = None

    def move(self, target: int) -> None:
        """Connect new clients to another port; connections that are open stay with their server."""
        self._target = target

    def restart(self, tls: ssl.SSLContext) -> None:
        """Close all connections, and accept new ones with another TLS context."""
        self.close()
        self._tls = tls
        self.open()

    def __enter__(self) -> Self:
        """Open the proxy."""
        self.open()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Close the proxy."""
        self.close()

    async def _listen(self) -> None:
        server = await asyncio.start_server(self._forward, HOST, self.port, limit=_CHUNK, ssl=self._tls)
        self._serving = asyncio.create_task(self._serve(server))

    async def _serve(self, server: asyncio.Server) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            server.close()

    async def _forward(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            with contextlib.closing(writer), contextlib.suppress(OSError):
                await self._connect(reader, writer)
        except asyncio.CancelledError:  # by close(); asyncio logs an error if the handler of a connection is cancelled
            writer.transport.abort()  # a TLS connection would close only after an answer of the client

    async def _connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        server_reader, server_writer = await asyncio.open_connection(HOST, self._target, limit=_CHUNK)
        with contextlib.closing(server_writer):
            await asyncio.gather(self._copy(reader, server_writer), self._copy(server_reader, writer))

    async def _copy(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Copy until the sender closes; then raise ConnectionAbortedError, which ends the other direction too."""
        while chunk := await reader.read(_CHUNK):
            await self._hold()
            writer.write(chunk)
            await writer.drain()
        raise ConnectionAbortedError

    async def _hold(self) -> None:
        if self.latency:
            await asyncio.sleep(self.latency)
        while self.stalled:  # noqa: ASYNC110 - any thread may change it
            await asyncio.sleep(_POLL_SECONDS)
