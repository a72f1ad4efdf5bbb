# SPDX-License-Identifier: GPL-3.0-or-later
"""A server that misbehaves, and what the sandbox's index has."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

FLASK = ["2.1.3", "2.0.3", "1.1.4"]


@asynccontextmanager
async def raw_server(write: Callable[[asyncio.StreamWriter], AsyncIterator[bytes]]) -> AsyncIterator[str]:
    """Serve bytes, whatever is requested, and yield the URL of the server."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await reader.readuntil(b"\r\n\r\n")
            async for part in write(writer):
                writer.write(part)
                await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
        host, port = server.sockets[0].getsockname()
        yield f"http://{host}:{port}"
