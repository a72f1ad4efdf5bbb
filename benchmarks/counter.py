# SPDX-License-Identifier: GPL-3.0-or-later
"""A counter in shared memory: one process increments it at almost no cost, and another process reads it."""

import mmap
from pathlib import Path

__all__ = ["PREFIX", "Counter"]

#: The prefix of the environment variables that configure the bare consumers.
PREFIX = "BENCHMARK_"

_SIZE = 8


class Counter:
    """A counter in a memory-mapped file, which is created if it is missing."""

    def __init__(self, path: str | Path) -> None:
        if not Path(path).exists():
            Path(path).write_bytes(bytes(_SIZE))
        with Path(path).open("r+b") as file:
            self._memory = mmap.mmap(file.fileno(), _SIZE)
        self._number = self.read()

    def add(self) -> None:
        """Add one; only one process may do so."""
        self._number += 1
        self._memory[:] = self._number.to_bytes(_SIZE, "little")

    def read(self) -> int:
        """Return the current number."""
        return int.from_bytes(self._memory[:], "little")
