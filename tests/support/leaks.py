# SPDX-License-Identifier: GPL-3.0-or-later
"""Detection of the connections that a test leaves open.

The garbage collector finds a connection that was never closed, but only in a later test, which fails although it is
correct. So each test is compared with itself: the sockets of this process before the test and after it.
"""

import gc
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

_DESCRIPTORS = Path("/proc/self/fd")
_TABLES = ("tcp", "tcp6", "unix")
_TIMEOUT_SECONDS = 2.0  # servers close their ends of a connection in threads of their own


@contextmanager
def failure_on_open_connections() -> Iterator[None]:
    """Fail the test if the body opens a connection and leaves it open; the message names the ports."""
    before = open_sockets()
    yield
    if sockets := left_open(before):
        pytest.fail(f"these connections were opened and not closed:\n{describe(sockets)}")


def open_sockets() -> frozenset[str]:
    """Return the names that the kernel gives the sockets of this process; empty on a system without /proc."""
    names = (_target(entry) for entry in _DESCRIPTORS.iterdir()) if _DESCRIPTORS.is_dir() else ()
    return frozenset(name for name in names if name.startswith("socket:"))


def _target(descriptor: Path) -> str:
    try:
        return str(descriptor.readlink())
    except OSError:  # closed since it was listed: the descriptor of the listing itself, or another thread's
        return ""


def left_open(before: frozenset[str]) -> frozenset[str]:
    """Return the sockets that were opened since `before` and stay open for two seconds.

    If there are any, collect garbage first. The collector then closes unreachable sockets, and its ResourceWarning
    is charged to the test that left them.
    """
    if not open_sockets() - before:
        return frozenset()
    gc.collect()
    deadline = time.monotonic() + _TIMEOUT_SECONDS
    while (found := open_sockets() - before) and time.monotonic() < deadline:
        time.sleep(0.02)
    return found


def describe(sockets: frozenset[str]) -> str:
    """Return one line per socket: its name, and its ports or path if the kernel lists it in /proc/net."""
    inodes = {name.removeprefix("socket:[").removesuffix("]"): name for name in sockets}
    lines = dict.fromkeys(inodes.values(), "of another kind")
    for table in _TABLES:
        for row in Path("/proc/self/net", table).read_text().splitlines()[1:]:
            columns = row.split()
            if name := inodes.get(columns[6] if table == "unix" else columns[9]):
                lines[name] = f"{table} {' '.join(columns[7:])}" if table == "unix" else _ports(table, columns)
    return "\n".join(f"{name}: {line}" for name, line in lines.items())


def _ports(table: str, columns: list[str]) -> str:
    local, remote = (int(column.rpartition(":")[2], 16) for column in columns[1:3])
    return f"{table} from port {local} to port {remote}" if remote else f"{table} listening on port {local}"
