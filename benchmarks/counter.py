# SPDX-License-Identifier: GPL-3.0-or-later
"""A number that one process counts up, at next to no cost, and another one reads."""

import mmap
from pathlib import Path

__all__ = ["NAME", "Counter"]

#: What the names of all variables begin with that the bare consumers are told by.
NAME = "BENCHMARK_"

_SIZE = 8


class Counter:
    """A counter in a file, which is made where it is missing."""

    def __init__(self, path: str | Path) -> None:
        if not Path(path).exists():
            Path(path).write_bytes(bytes(_SIZE))
        with Path(path).open("r+b") as file:
            self._memory = mmap.mmap(file.fileno(), _SIZE)
        self._number = self.read()

    def add(self) -> None:
        """Count one more; for one process only."""
        self._number += 1
        self._memory[:] = self._number.to_bytes(_SIZE, "little")

    def read(self) -> int:
        """Give the number."""
        return int.from_bytes(self._memory[:], "little")
