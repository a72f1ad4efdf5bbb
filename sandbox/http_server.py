# SPDX-License-Identifier: GPL-3.0-or-later
"""The base of the embedded HTTP servers: a thread, a log of requests, faults, and control routes."""

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
from sandbox.recorded import RecordedAnswer
from sandbox.request_log import LoggedRequest, RequestLog
from sandbox.statuses import Refusal, refusal_reply
from sandbox.tcp_ports import HOST, free_port

__all__ = ["CONTROL", "HttpServer"]

Next = Callable[[web.Request], Awaitable[web.StreamResponse]]
T = TypeVar("T")

CONTROL = "/_sandbox"  # the prefix of the control routes; faults and tokens do not apply to them
_BODY_LIMIT = 3 * 1024 * 1024  # the limit of a Kubernetes API server
_WITHOUT_REPLY = {"hang", "reset", "lost"}
_EFFECTS: web.RequestKey[tuple[str, ...]] = web.RequestKey("effects", tuple)


class HttpServer(ABC):
    """An aiohttp server in its own thread; it can be stopped and started again on the same port."""

    def __init__(self, port: int = 0) -> None:
        """Reserve the port, or a free one for 0, without listening yet."""
        self.port = port or free_port()
        self.faults = Faults()
        self.request_log = RequestLog()
        self._background: BackgroundLoop | None = None
        self._runner: web.AppRunner | None = None

    @property
    def url(self) -> str:
        """The URL of the server, without a slash at the end."""
        return f"http://{HOST}:{self.port}"

    @abstractmethod
    def routes(self) -> Iterable[web.RouteDef]:
        """Yield the routes of the server, without the control routes."""

    @abstractmethod
    def state(self) -> dict[str, Any]:
        """Return the JSON object for GET /_sandbox/state."""

    @abstractmethod
    def reset(self) -> None:
        """Clear everything except the settings, including the faults and the log of requests."""

    def check(self, request: web.Request) -> None:  # noqa: B027 - not every server has a check
        """Raise a Refusal if the request is not allowed at all, such as without a token; by default all are."""

    def start(self) -> Self:
        """Start the thread and listen; returns the server itself."""
        self._background = BackgroundLoop(type(self).__name__)
        self._background.run(self._listen())
        return self

    def stop(self) -> None:
        """Stop listening, close all connections and cancel open requests; does nothing before `start`."""
        if self._background is None:
            return
        if self._runner is not None:
            self._background.run(self._runner.cleanup())
        self._background.stop()
        self._background = self._runner = None

    def on_loop(self, function: Callable[[], T]) -> T:
        """Call a function on the event loop, so that it can change data that request handlers use."""
        return function() if self._background is None else self._background.call(function)

    def __enter__(self) -> Self:
        """Start the server."""
        return self.start()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Stop the server."""
        self.stop()

    async def _listen(self) -> None:
        app = web.Application(middlewares=[self._log_request, self._apply_faults], client_max_size=_BODY_LIMIT)
        app.add_routes([*self.routes(), *self._control_routes()])
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, HOST, self.port, reuse_address=True).start()

    @web.middleware
    async def _log_request(self, request: web.Request, handler: Next) -> web.StreamResponse:
        if request.path.startswith(CONTROL):
            return await handler(request)
        started, clock_start = time.time(), time.perf_counter()
        status: int | None = 500  # aiohttp's answer if a handler raises an unexpected exception
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
            status = None if _WITHOUT_REPLY.intersection(effects) else status
            seconds = time.perf_counter() - clock_start
            self.request_log.calls.append(
                LoggedRequest(request.method, request.path, request.query_string, status, effects, started, seconds)
            )

    @web.middleware
    async def _apply_faults(self, request: web.Request, handler: Next) -> web.StreamResponse:
        if request.path.startswith(CONTROL):
            return await handler(request)
        body = await request.text() if self.faults.reads_bodies() else ""
        faults = self.faults.pick(request.method, request.path, body)
        request[_EFFECTS] = tuple(fault.effect for fault in faults)
        others = [fault for fault in faults if fault.effect not in {"latency", "warning"}]
        await asyncio.sleep(sum(fault.seconds for fault in faults if fault.effect == "latency"))
        answer = self._respond_with_fault(others[0], request, handler) if others else self._answer(request, handler)
        response = await answer
        for fault in faults:
            if fault.effect == "warning":
                response.headers.add("Warning", f'299 - "{fault.text}"')
        return response

    async def _respond_with_fault(self, fault: Fault, request: web.Request, handler: Next) -> web.StreamResponse:
        if fault.effect == "status":
            refusal = Refusal(fault.status, "SandboxFault", f"injected by the sandbox: status {fault.status}")
            return refusal_reply(refusal, fault.retry_after)
        if fault.effect in {"lost", "disguise"}:
            await self._answer(request, handler)
        if fault.effect in {"answer", "disguise"}:
            return _recorded_reply(fault.recorded())
        while fault.effect == "hang" and fault in self.faults.active():  # noqa: ASYNC110 - any thread may remove the fault
            await asyncio.sleep(0.02)
        _reset_connection(request)
        return web.Response(status=503)  # never sent: the connection is closed

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


def _recorded_reply(answer: RecordedAnswer) -> web.Response:
    headers = {"Content-Type": answer.content_type, **answer.headers}
    return web.Response(status=answer.code, body=answer.body.encode(), headers=headers)


def _reset_connection(request: web.Request) -> None:
    """Close the connection by a TCP reset, as after a crash of the server or a broken tunnel."""
    transport = request.transport
    if transport is not None:
        connection = transport.get_extra_info("socket")
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        transport.abort()
