# SPDX-License-Identifier: GPL-3.0-or-later
"""The table of the fault matrix: one line for each fault."""

import math
from collections.abc import Sequence

from sandbox.fault_matrix.rows import Row
from sandbox.fault_matrix.verdict import Measurement, p95, ratio

__all__ = ["HEADING", "line"]

_COLUMNS = ("p95 before", "during", "ratio", "lost", "twice", "attempts", "recovery", "halted")
_NAME_WIDTH = 26
HEADING = f"{'fault':{_NAME_WIDTH}} " + " ".join(f"{column:>10}" for column in _COLUMNS)


def line(row: Row, measured: Measurement, problems: Sequence[str]) -> str:
    """Return the line of a fault: the delays of messages that do not need the broken part, and what happened."""
    cells = (
        _seconds(p95(measured.normal)),
        _seconds(p95(measured.delays)),
        f"{ratio(measured):.1f}",
        str(measured.lost),
        str(measured.twice),
        str(measured.attempts),
        _seconds(measured.recovery),
        str(len(measured.halted)),
    )
    verdict = f"  FAILED: {'; '.join(problems)}" if problems else ""
    return f"{row.name:{_NAME_WIDTH}} " + " ".join(f"{cell:>10}" for cell in cells) + verdict


def _seconds(value: float) -> str:
    return "never" if math.isinf(value) else f"{value:.2f} s"
