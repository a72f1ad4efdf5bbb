# SPDX-License-Identifier: GPL-3.0-or-later
"""A door in front of a server: closing it makes the server unreachable while it keeps its data."""

import asyncio
import contextlib
import ssl
from types import TracebackType

from typing_extensions import Self

from sandbox.background import BackgroundLoop
from sandbox.ports import HOST, free_port

__all__ = ["TcpProxy"]

_CHUNK = 256 * 1024


class TcpProxy:
    """Passes TCP connections on to another port of this machine, in a thread of its own.

    Args:
        target: the port of the server behind the gate.
        tls: makes the gate speak TLS with its clients; the server behind it need not.
    """

    def __init__(self, target: int, tls: ssl.SSLContext | None = None) -> None:
        self.port = free_port()
        self._target = target
        self._tls = tls
        self._background: BackgroundLoop | None = None

    def open(self) -> None:
        """Accept connections; does nothing where the gate is open."""
        if self._background is None:
            self._background = BackgroundLoop("gate")
            self._background.run(self._listen())

    def close(self) -> None:
        """Cut all connections and refuse new ones; does nothing where the gate is closed."""
        if self._background is not None:
            self._background.stop()
            self._background = None

    def __enter__(self) -> Self:
        """Open."""
        self.open()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Close."""
        self.close()

    async def _listen(self) -> None:
        server = await asyncio.start_server(self._pass_on, HOST, self.port, limit=_CHUNK, ssl=self._tls)
        self._serving = asyncio.create_task(self._serve(server))

    async def _serve(self, server: asyncio.Server) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            server.close()

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        # The cancellation by close() ends here: asyncio complains of a connection's handler that was cancelled.
        with contextlib.closing(writer), contextlib.suppress(OSError, asyncio.CancelledError):
            behind_reader, behind_writer = await asyncio.open_connection(HOST, self._target, limit=_CHUNK)
            with contextlib.closing(behind_writer):
                await asyncio.gather(_copy(reader, behind_writer), _copy(behind_reader, writer))


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Copy until one side ends; the other direction is ended with it."""
    while chunk := await reader.read(_CHUNK):
        writer.write(chunk)
        await writer.drain()
    raise ConnectionAbortedError
