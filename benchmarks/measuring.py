# SPDX-License-Identifier: GPL-3.0-or-later
"""The results of benchmarks, and the measurement of processes: throughput, processor time and memory."""

import os
import statistics
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

__all__ = ["Deadline", "Ratio", "Result", "Speed", "cpu_seconds", "median", "memory", "percentile", "watch"]

_TICKS = os.sysconf("SC_CLK_TCK")
_TIMEOUT = 300.0  # seconds
_PAGE = os.sysconf("SC_PAGE_SIZE")

median = statistics.median


@dataclass(frozen=True)
class Ratio:
    """The target of a result: a lower bound, an upper bound, or both; None stands for no bound."""

    least: float | None = None
    most: float | None = None

    def is_met_by(self, value: float) -> bool:
        """Return whether the value is within the bounds."""
        return (self.least is None or value >= self.least) and (self.most is None or value <= self.most)

    def __str__(self) -> str:
        """Return the bounds as text, such as ">= 0.8"; empty without bounds."""
        texts = [f">= {self.least:g}" if self.least is not None else "", f"<= {self.most:g}" if self.most else ""]
        return " and ".join(filter(None, texts))


@dataclass(frozen=True)
class Result:
    """One line of the table.

    Args:
        name: the comparison.
        value: the result, mostly a ratio within one run.
        unit: the unit of the value; empty for a ratio.
        target: the bounds that the value should be within.
        details: the measured numbers behind the value.
    """

    name: str
    value: float
    unit: str = ""
    target: Ratio = field(default_factory=Ratio)
    details: dict[str, object] = field(default_factory=dict)

    @property
    def reached(self) -> str:
        """Whether the value reaches the target: "yes" or "no"; empty without a target."""
        return ("yes" if self.target.is_met_by(self.value) else "no") if str(self.target) else ""


@dataclass(frozen=True)
class Speed:
    """The throughput of processes in their steady state, and the processor time for each message."""

    per_second: float
    cpu_seconds: float

    @staticmethod
    def of_medians(speeds: Iterable["Speed"]) -> "Speed":
        """Return the medians of several runs, of each number separately."""
        runs = list(speeds)
        return Speed(median(run.per_second for run in runs), median(run.cpu_seconds for run in runs))


@dataclass(frozen=True)
class _Sample:
    time: float
    done: int
    cpu: float


class Deadline:
    """A time limit for one task; `check` raises TimeoutError once the time is over."""

    def __init__(self, seconds: float, task: str) -> None:
        self._end = time.monotonic() + seconds
        self._task = task
        self._seconds = seconds

    def check(self) -> None:
        """Raise TimeoutError if the time is over."""
        if time.monotonic() > self._end:
            raise TimeoutError(f"{self._task} took longer than {self._seconds:g} s")


def watch(pids: Iterable[int], done: Callable[[], int], total: int, *, every: float = 0.5) -> Speed:
    """Sample processes until they have done `total` messages; return their joint speed without the first tenth.

    `done` returns how many messages are done. It is called every `every` seconds, so it should cost little.
    """
    pids = list(pids)
    deadline = Deadline(_TIMEOUT, f"{total} messages")
    samples: list[_Sample] = []
    while not samples or samples[-1].done < total:
        deadline.check()
        time.sleep(every)
        samples.append(_Sample(time.perf_counter(), done(), sum(map(cpu_seconds, pids))))
    return _speed(samples, total)


def _speed(samples: list[_Sample], total: int) -> Speed:
    first = next(sample for sample in samples if sample.done >= total / 10)
    last = samples[-1]
    if last.done == first.done:
        raise ValueError("all messages were done between two samples: use more messages")
    work = last.done - first.done
    return Speed(work / (last.time - first.time), (last.cpu - first.cpu) / work)


def cpu_seconds(pid: int) -> float:
    """Return the processor seconds that a process has used, in all its threads."""
    fields = Path(f"/proc/{pid}/stat").read_text("ascii").rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


def memory(pid: int) -> float:
    """Return the resident memory of a process in MiB."""
    return int(Path(f"/proc/{pid}/statm").read_text("ascii").split()[1]) * _PAGE / 2**20


def percentile(values: Iterable[float], share: float) -> float:
    """Return the value below which the given share (0 to 1) of the values lies."""
    ordered = sorted(values)
    return ordered[min(round(share * (len(ordered) - 1)), len(ordered) - 1)]
