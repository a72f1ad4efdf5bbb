# SPDX-License-Identifier: GPL-3.0-or-later
"""What the embedded HTTP servers share: a thread each, a record of requests, faults, and remote control."""

import asyncio
import socket
import struct
import time
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Iterable
from types import TracebackType
from typing import Any, TypeVar

from aiohttp import web
from typing_extensions import Self

from sandbox.background import BackgroundLoop
from sandbox.faults import Fault, Faults
from sandbox.ports import HOST, free_port
from sandbox.request_log import LoggedRequest, RequestLog
from sandbox.statuses import Refusal, refusal_reply

__all__ = ["CONTROL", "HttpServer"]

Next = Callable[[web.Request], Awaitable[web.StreamResponse]]
T = TypeVar("T")

CONTROL = "/_sandbox"  # where the remote control lives; neither faults nor tokens apply there
_BODY_LIMIT = 3 * 1024 * 1024  # what a Kubernetes API server takes
_CUTTING = {"hang", "reset", "lost"}
_EFFECTS: web.RequestKey[tuple[str, ...]] = web.RequestKey("effects", tuple)


class HttpServer(ABC):
    """An aiohttp server in a thread of its own; it may be stopped and started again on the same port."""

    def __init__(self, port: int = 0) -> None:
        """Choose the port, or a free one for 0, but do not listen yet."""
        self.port = port or free_port()
        self.faults = Faults()
        self.request_log = RequestLog()
        self._background: BackgroundLoop | None = None
        self._runner: web.AppRunner | None = None

    @property
    def url(self) -> str:
        """Where the server is reached, without a slash at the end."""
        return f"http://{HOST}:{self.port}"

    @abstractmethod
    def routes(self) -> Iterable[web.RouteDef]:
        """Give the routes of the server proper."""

    @abstractmethod
    def state(self) -> dict[str, Any]:
        """Give what GET /_sandbox/state shows."""

    @abstractmethod
    def reset(self) -> None:
        """Forget all but the settings; takes the faults and the record of requests away too."""

    def check(self, request: web.Request) -> None:  # noqa: B027 - not every server has a check
        """Raise a Refusal where the request may not pass at all; all may, unless a server says otherwise."""

    def start(self) -> Self:
        """Listen."""
        self._background = BackgroundLoop(type(self).__name__)
        self._background.run(self._listen())
        return self

    def stop(self) -> None:
        """Stop listening, cut all connections, and drop the requests in hand; does nothing where it does not run."""
        if self._background is None:
            return
        if self._runner is not None:
            self._background.run(self._runner.cleanup())
        self._background.stop()
        self._background = self._runner = None

    def on_loop(self, function: Callable[[], T]) -> T:
        """Call a function between two requests, so that it may change what the requests use."""
        return function() if self._background is None else self._background.call(function)

    def __enter__(self) -> Self:
        """Listen."""
        return self.start()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Stop."""
        self.stop()

    async def _listen(self) -> None:
        app = web.Application(middlewares=[self._record, self._meet_faults], client_max_size=_BODY_LIMIT)
        app.add_routes([*self.routes(), *self._control_routes()])
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, HOST, self.port, reuse_address=True).start()

    @web.middleware
    async def _record(self, request: web.Request, handler: Next) -> web.StreamResponse:
        if request.path.startswith(CONTROL):
            return await handler(request)
        started, clock = time.time(), time.perf_counter()
        status: int | None = 500  # what aiohttp answers where a handler raises something unforeseen
        try:
            response = await handler(request)
        except web.HTTPException as error:
            status = error.status
            raise
        else:
            status = response.status
            return response
        finally:
            effects = request.get(_EFFECTS, ())
            status = None if _CUTTING.intersection(effects) else status
            seconds = time.perf_counter() - clock
            self.request_log.calls.append(
                LoggedRequest(request.method, request.path, request.query_string, status, effects, started, seconds)
            )

    @web.middleware
    async def _meet_faults(self, request: web.Request, handler: Next) -> web.StreamResponse:
        if request.path.startswith(CONTROL):
            return await handler(request)
        body = await request.text() if self.faults.reads_bodies() else ""
        faults = self.faults.pick(request.method, request.path, body)
        request[_EFFECTS] = tuple(fault.effect for fault in faults)
        for fault in faults:
            if fault.effect == "latency":
                await asyncio.sleep(fault.seconds)
            else:
                return await self._suffer(fault, request, handler)
        return await self._answer(request, handler)

    async def _suffer(self, fault: Fault, request: web.Request, handler: Next) -> web.StreamResponse:
        if fault.effect == "status":
            refusal = Refusal(fault.status, "SandboxFault", f"a fault of the sandbox: {fault.status}")
            return refusal_reply(refusal, fault.retry_after)
        if fault.effect == "lost":
            await self._answer(request, handler)
        while fault.effect == "hang" and fault in self.faults.active():  # noqa: ASYNC110 - switched from any thread
            await asyncio.sleep(0.02)
        _cut(request)
        return web.Response(status=503)  # goes nowhere: the connection is cut

    async def _answer(self, request: web.Request, handler: Next) -> web.StreamResponse:
        try:
            self.check(request)
            return await handler(request)
        except Refusal as refusal:
            return refusal_reply(refusal)

    def _control_routes(self) -> list[web.RouteDef]:
        return [
            web.get(f"{CONTROL}/state", self._show_state),
            web.get(f"{CONTROL}/requests", self._show_requests),
            web.get(f"{CONTROL}/faults", self._show_faults),
            web.put(f"{CONTROL}/faults", self._set_faults),
            web.post(f"{CONTROL}/reset", self._reset),
        ]

    async def _show_state(self, _: web.Request) -> web.Response:
        return web.json_response(self.state())

    async def _show_requests(self, _: web.Request) -> web.Response:
        return web.json_response(self.request_log.as_json())

    async def _show_faults(self, _: web.Request) -> web.Response:
        return web.json_response([_fault_as_json(fault) for fault in self.faults.active()])

    async def _set_faults(self, request: web.Request) -> web.Response:
        try:
            self.faults.set(*(Fault(**fault) for fault in await request.json()))
        except (TypeError, ValueError) as error:
            return web.json_response({"error": str(error)}, status=400)
        return await self._show_faults(request)

    async def _reset(self, _: web.Request) -> web.Response:
        self.reset()
        return web.json_response({})


def _fault_as_json(fault: Fault) -> dict[str, Any]:
    return {name: getattr(fault, name) for name in Fault.__dataclass_fields__}


def _cut(request: web.Request) -> None:
    """Cut the connection by a reset, as a crashed server or a dropped tunnel does it."""
    transport = request.transport
    if transport is not None:
        connection = transport.get_extra_info("socket")
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        transport.abort()
