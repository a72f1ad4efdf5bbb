# SPDX-License-Identifier: GPL-3.0-or-later
"""Find the sockets that a test leaves open, and say where they lead.

A connection that is never closed is found by the garbage collector in some later test, which then fails without having
done anything wrong. So each test is compared with itself: the sockets of the process before it and after it.
"""

import gc
import os
import time
from pathlib import Path

_DESCRIPTORS = Path("/proc/self/fd")
_TABLES = ("tcp", "tcp6", "unix")
_PATIENCE_SECONDS = 2.0  # servers close their ends of a connection in threads of their own


def open_sockets() -> frozenset[str]:
    """Return the sockets of this process as the kernel names them; empty where there is no /proc."""
    names = (_target(entry) for entry in os.listdir(_DESCRIPTORS)) if _DESCRIPTORS.is_dir() else ()
    return frozenset(name for name in names if name.startswith("socket:"))


def _target(entry: str) -> str:
    try:
        return str((_DESCRIPTORS / entry).readlink())
    except OSError:  # the descriptor of the listing itself is gone by now
        return ""


def left_open(before: frozenset[str]) -> frozenset[str]:
    """Return the sockets that were opened since `before` and stay open.

    Collects garbage only where there are some: what the collector closes, it reports in the test that left it.
    """
    if not open_sockets() - before:
        return frozenset()
    gc.collect()
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while (found := open_sockets() - before) and time.monotonic() < deadline:
        time.sleep(0.02)
    return found


def describe(sockets: frozenset[str]) -> str:
    """Return a line for each socket, with its addresses where the kernel tells them."""
    inodes = {name.removeprefix("socket:[").removesuffix("]"): name for name in sockets}
    lines = dict.fromkeys(inodes.values(), "of another kind")
    for table in _TABLES:
        for row in Path("/proc/self/net", table).read_text().splitlines()[1:]:
            columns = row.split()
            if name := inodes.get(columns[6] if table == "unix" else columns[9]):
                lines[name] = f"{table} {' '.join(columns[7:])}" if table == "unix" else _addresses(table, columns)
    return "\n".join(f"{name}: {line}" for name, line in lines.items())


def _addresses(table: str, columns: list[str]) -> str:
    local, remote = (int(column.rpartition(":")[2], 16) for column in columns[1:3])
    return f"{table} from port {local} to port {remote}" if remote else f"{table} listening on port {local}"
