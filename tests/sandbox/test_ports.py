# SPDX-License-Identifier: GPL-3.0-or-later
"""Ports for the sandbox's servers."""

import socket

from sandbox.ports import HOST, accepts, free_port


def test_no_port_is_given_out_twice() -> None:
    """Guarantee: servers that are made before any of them listens do not get in each other's way."""
    ports = [free_port() for _ in range(500)]
    assert len(set(ports)) == len(ports)


def test_ports_are_none_of_those_for_outgoing_connections() -> None:
    """Guarantee: while a server is down, no client that looks for it takes its port, even by chance."""
    assert max(free_port() for _ in range(500)) < 32_768  # where Linux begins to take such; others, later


def test_a_port_that_is_taken_is_not_given_out() -> None:
    """Guarantee: the preferred port where it is free, otherwise another one."""
    port = free_port()
    assert free_port(port) == port
    with socket.create_server((HOST, port)):
        assert accepts(port)
        assert free_port(port) not in {0, port}
    assert not accepts(port)
