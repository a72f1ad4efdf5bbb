# SPDX-License-Identifier: GPL-3.0-or-later
"""TCP ports of this machine for the embedded servers."""

import itertools
import random
import socket

__all__ = ["HOST", "accepts", "free_port"]

HOST = "127.0.0.1"

# Below those that Linux and others give to outgoing connections: such a one would take the port of a server that was
# killed before it is started again. In an order of this process's own, so that no port is given out twice meanwhile.
_PORTS = range(10_000, 30_000)
_CANDIDATES = itertools.cycle(random.sample(_PORTS, len(_PORTS)))


def free_port(preferred: int = 0) -> int:
    """Give the preferred TCP port if there is one and nobody listens on it, otherwise any free one."""
    return next(port for port in itertools.chain([preferred], _CANDIDATES) if port and _is_free(port))


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True


def accepts(port: int, timeout: float = 0.5) -> bool:
    """Tell whether something accepts TCP connections on the port; waits for at most `timeout` seconds."""
    try:
        socket.create_connection((HOST, port), timeout=timeout).close()
    except OSError:
        return False
    return True
