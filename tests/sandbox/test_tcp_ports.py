# SPDX-License-Identifier: GPL-3.0-or-later
"""The TCP ports of the sandbox's servers."""

import socket

from sandbox.tcp_ports import HOST, accepts, free_port


def test_no_port_is_returned_twice() -> None:
    """Servers that are created before any of them listens get different ports."""
    ports = [free_port() for _ in range(500)]
    assert len(set(ports)) == len(ports)


def test_ports_are_below_those_of_outgoing_connections() -> None:
    """Otherwise a client that tries to connect to a stopped server could get the server's port as its own."""
    assert max(free_port() for _ in range(500)) < 32_768  # the first such port on Linux; higher on other systems


def test_the_preferred_port_is_returned_only_if_it_is_free() -> None:
    """If another process listens on it, the result is another free port."""
    port = free_port()
    assert free_port(port) == port
    with socket.create_server((HOST, port)):
        assert accepts(port)
        assert free_port(port) not in {0, port}
    assert not accepts(port)
