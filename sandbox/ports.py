# SPDX-License-Identifier: GPL-3.0-or-later
"""TCP ports of this machine for the embedded servers."""

import socket

__all__ = ["HOST", "accepts", "free_port"]

HOST = "127.0.0.1"


def free_port(preferred: int = 0) -> int:
    """Give the preferred TCP port if nobody listens on it, otherwise any free one."""
    try:
        return _bind(preferred)
    except OSError:
        return _bind(0)


def _bind(port: int) -> int:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind((HOST, port))
        return int(probe.getsockname()[1])


def accepts(port: int, timeout: float = 0.5) -> bool:
    """Tell whether something accepts TCP connections on the port; waits for at most `timeout` seconds."""
    try:
        socket.create_connection((HOST, port), timeout=timeout).close()
    except OSError:
        return False
    return True
