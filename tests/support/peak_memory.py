# SPDX-License-Identifier: GPL-3.0-or-later
"""The memory of a process, as the system counts it: also what libraries allocate outside of Python."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest


@contextmanager
def peak_growth() -> Iterator[Callable[[], int]]:
    """Yield a function that returns by how many bytes the resident memory of this process has grown at most."""
    if not Path("/proc/self/clear_refs").exists():
        pytest.skip("the system does not reset the peak of a process's memory")
    Path("/proc/self/clear_refs").write_text("5", "ascii")  # resets the peak
    before = resident("self")
    yield lambda: resident("self", "VmHWM") - before


def resident(process: int | str, what: str = "VmRSS") -> int:
    """Return the resident memory of a process in bytes; its peak for `VmHWM`."""
    lines = Path(f"/proc/{process}/status").read_text("ascii").splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(f"{what}:"))
