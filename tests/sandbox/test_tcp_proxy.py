# SPDX-License-Identifier: GPL-3.0-or-later
"""The TCP proxy delays, holds and cuts what passes through it, and loses nothing while connections stay open."""

import socket
import threading
import time
from collections.abc import Iterator

import pytest

from sandbox.tcp_ports import HOST
from sandbox.tcp_proxy import TcpProxy


@pytest.fixture
def proxy() -> Iterator[TcpProxy]:
    """A proxy in front of a server that sends back what it receives."""
    with socket.create_server((HOST, 0)) as server:
        threading.Thread(target=_echo, args=(server,), daemon=True).start()
        with TcpProxy(server.getsockname()[1]) as opened:
            yield opened


def _echo(server: socket.socket) -> None:
    try:
        while True:
            client, _ = server.accept()
            with client:
                while data := client.recv(1024):
                    client.sendall(data)
    except OSError:  # the test is over
        pass


def test_latency_delays_both_directions(proxy: TcpProxy) -> None:
    """A request and its answer each take the latency."""
    proxy.latency = 0.2
    with socket.create_connection((HOST, proxy.port), timeout=10) as client:
        started = time.monotonic()
        client.sendall(b"hello")
        assert client.recv(5) == b"hello"
    assert time.monotonic() - started >= 0.4


def test_a_stalled_proxy_holds_data_until_the_end(proxy: TcpProxy) -> None:
    """No answer comes while the proxy is stalled; then it comes on the same connection."""
    with socket.create_connection((HOST, proxy.port), timeout=10) as client:
        client.sendall(b"before")
        assert client.recv(6) == b"before"
        proxy.stalled = True
        client.sendall(b"after")
        client.settimeout(0.5)
        with pytest.raises(TimeoutError):
            client.recv(5)
        proxy.stalled = False
        client.settimeout(10)
        assert client.recv(5) == b"after"


def test_a_closed_proxy_cuts_and_refuses_connections_until_it_is_open(proxy: TcpProxy) -> None:
    """The address stays the same."""
    with socket.create_connection((HOST, proxy.port), timeout=10) as client:
        client.sendall(b"x")
        assert client.recv(1) == b"x"
        proxy.close()
        assert client.recv(1) == b""
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((HOST, proxy.port), timeout=10)
    proxy.open()
    with socket.create_connection((HOST, proxy.port), timeout=10) as client:
        client.sendall(b"y")
        assert client.recv(1) == b"y"
