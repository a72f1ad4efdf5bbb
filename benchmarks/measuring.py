# SPDX-License-Identifier: GPL-3.0-or-later
"""Results, and how processes are watched: what they have done by when, at what cost."""

import os
import statistics
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

__all__ = ["Budget", "Ratio", "Result", "Speed", "cpu_seconds", "median", "memory", "percentile", "watch"]

_TICKS = os.sysconf("SC_CLK_TCK")
_LONGEST = 300.0  # seconds
_PAGE = os.sysconf("SC_PAGE_SIZE")

median = statistics.median


@dataclass(frozen=True)
class Ratio:
    """What is aimed at: a value that is at least, or at most, so much."""

    least: float | None = None
    most: float | None = None

    def reached(self, value: float) -> bool:
        """Tell whether the value is as aimed at."""
        return (self.least is None or value >= self.least) and (self.most is None or value <= self.most)

    def __str__(self) -> str:
        """Say it in short; nothing where nothing is aimed at."""
        texts = [f">= {self.least:g}" if self.least is not None else "", f"<= {self.most:g}" if self.most else ""]
        return " and ".join(filter(None, texts))


@dataclass(frozen=True)
class Result:
    """One line of the table.

    Args:
        name: what was compared with what.
        value: the result, mostly a ratio inside one run.
        unit: of the value; empty for a ratio.
        aim: what it should be.
        details: the numbers that the value was made of.
    """

    name: str
    value: float
    unit: str = ""
    aim: Ratio = field(default_factory=Ratio)
    details: dict[str, object] = field(default_factory=dict)

    @property
    def verdict(self) -> str:
        """Tell whether the aim is reached; empty where there is none."""
        return ("yes" if self.aim.reached(self.value) else "no") if str(self.aim) else ""


@dataclass(frozen=True)
class Speed:
    """How fast a process worked in its steady state, and what a piece of work cost it in processor time."""

    per_second: float
    cpu_seconds: float

    @staticmethod
    def middle(speeds: Iterable["Speed"]) -> "Speed":
        """Give the median of several runs, of each number by itself."""
        runs = list(speeds)
        return Speed(median(run.per_second for run in runs), median(run.cpu_seconds for run in runs))


@dataclass(frozen=True)
class _Sample:
    at: float
    done: int
    cpu: float


class Budget:
    """Raises TimeoutError once so many seconds are over."""

    def __init__(self, seconds: float, what: str) -> None:
        self._end = time.monotonic() + seconds
        self._what = what

    def check(self) -> None:
        """Raise where the time is over."""
        if time.monotonic() > self._end:
            raise TimeoutError(f"{self._what} took too long")


def watch(pids: Iterable[int], done: Callable[[], int], total: int, *, every: float = 0.5) -> Speed:
    """Watch processes until they have done so much, and give their speed together, without the first tenth.

    ``done`` is called after ``every`` so many seconds, and should cost little.
    """
    pids = list(pids)
    budget = Budget(_LONGEST, f"{total} messages")
    samples: list[_Sample] = []
    while not samples or samples[-1].done < total:
        budget.check()
        time.sleep(every)
        samples.append(_Sample(time.perf_counter(), done(), sum(map(cpu_seconds, pids))))
    return _speed(samples, total)


def _speed(samples: list[_Sample], total: int) -> Speed:
    first = next(sample for sample in samples if sample.done >= total / 10)
    last = samples[-1]
    if last.done == first.done:
        raise ValueError("all was done between two looks: there is too little to do")
    work = last.done - first.done
    return Speed(work / (last.at - first.at), (last.cpu - first.cpu) / work)


def cpu_seconds(pid: int) -> float:
    """Give the processor time that a process has used, all of its threads together."""
    fields = Path(f"/proc/{pid}/stat").read_text("ascii").rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


def memory(pid: int) -> float:
    """Give the resident memory of a process in MiB."""
    return int(Path(f"/proc/{pid}/statm").read_text("ascii").split()[1]) * _PAGE / 2**20


def percentile(values: Iterable[float], share: float) -> float:
    """Give the value below which that share of the values lies."""
    ordered = sorted(values)
    return ordered[min(round(share * (len(ordered) - 1)), len(ordered) - 1)]
