# SPDX-License-Identifier: GPL-3.0-or-later
"""TCP ports of this machine for the embedded servers."""

import itertools
import random
import socket

__all__ = ["HOST", "accepts", "free_port"]

HOST = "127.0.0.1"

# Below the ports that Linux and others use for outgoing connections: such a connection could take the port of a killed
# server before the server starts again. A process cycles through them in its own random order: it returns no port twice
# before all were used, and two processes rarely choose the same one.
_PORTS = range(10_000, 30_000)
_CANDIDATES = itertools.cycle(random.sample(_PORTS, len(_PORTS)))


def free_port(preferred: int = 0) -> int:
    """Return the preferred TCP port if it is free, or else another free one; 0 stands for no preference."""
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
    """Return whether a process accepts TCP connections on the port; waits for at most `timeout` seconds."""
    try:
        socket.create_connection((HOST, port), timeout=timeout).close()
    except OSError:
        return False
    return True
