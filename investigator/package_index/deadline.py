# SPDX-License-Identifier: GPL-3.0-or-later
"""A deadline for whole HTTP exchanges; the timeout of requests applies to each wait for a part of an answer only."""

import socket
import threading
from contextlib import suppress
from typing import Any

from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool, PoolManager
from urllib3.connection import HTTPConnection, HTTPSConnection

from investigator.resilience.http_pools import close_pools


class Deadline:
    """Ends the exchange of this thread after a number of seconds, whatever the thread waits for.

    A server that sends a byte now and then would hold the thread. Shutting down the socket wakes it, like the end of
    the answer: check `passed` before you use an answer. Connections that `DeadlineAdapter` opens keep the deadline.
    """

    _current = threading.local()

    def __init__(self, seconds: float) -> None:
        self.passed = False
        self._lock = threading.Lock()
        self._socket: socket.socket | None = None
        self._timer = threading.Timer(seconds, self._pass)
        self._timer.daemon = True

    def __enter__(self) -> None:
        self._current.deadline = self
        self._timer.start()

    def __exit__(self, *_: object) -> None:
        self._timer.cancel()
        with self._lock:  # the connection may now serve another request
            self._socket = None
        self._current.deadline = None

    @classmethod
    def watch(cls, sock: socket.socket) -> None:
        """Apply the deadline of this thread to a socket, on which the thread waits for an answer."""
        deadline: Deadline | None = getattr(cls._current, "deadline", None)
        if deadline is not None:
            deadline.guard(sock)

    def guard(self, sock: socket.socket) -> None:
        """Apply this deadline to a socket."""
        with self._lock:
            self._socket = sock
            if self.passed:
                _shut_down(sock)

    def _pass(self) -> None:
        with self._lock:
            self.passed = True
            if self._socket is not None:
                _shut_down(self._socket)


def _shut_down(sock: socket.socket) -> None:
    with suppress(OSError):
        socket.socket.shutdown(sock, socket.SHUT_RDWR)  # that of SSLSocket would switch to plain text


class _Connection(HTTPConnection):
    def getresponse(self) -> Any:  # noqa: ANN401  (of urllib3)
        """Watch the socket before waiting for the answer."""
        Deadline.watch(self.sock)
        return super().getresponse()


class _TlsConnection(HTTPSConnection):
    def getresponse(self) -> Any:  # noqa: ANN401  (of urllib3)
        """Watch the socket before waiting for the answer."""
        Deadline.watch(self.sock)
        return super().getresponse()


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Connection


class _TlsPool(HTTPSConnectionPool):
    ConnectionCls = _TlsConnection


class DeadlineAdapter(HTTPAdapter):
    """An adapter whose connections keep the deadline, through a proxy too."""

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401  (as the base)
        """Build the pools for direct connections."""
        super().init_poolmanager(*args, **kwargs)
        _use_watched_pools(self.poolmanager)

    def proxy_manager_for(self, *args: Any, **kwargs: Any) -> PoolManager:  # noqa: ANN401  (as the base)
        """Build the pools for connections through a proxy."""
        manager: PoolManager = super().proxy_manager_for(*args, **kwargs)
        _use_watched_pools(manager)
        return manager

    def close(self) -> None:
        """Close the idle connections, also those of pools that an answer still refers to."""
        for manager in (self.poolmanager, *self.proxy_manager.values()):
            close_pools(manager)


def _use_watched_pools(manager: PoolManager) -> None:
    manager.pool_classes_by_scheme = {"http": _Pool, "https": _TlsPool}
