# SPDX-License-Identifier: GPL-3.0-or-later
"""One worker and two, where the API's time is the limit."""

from benchmarks.measuring import Ratio, Result, median
from benchmarks.place import Place
from benchmarks.throughput import Setup, releases

__all__ = ["two_workers"]

# So slow that two workers on a small machine still wait for it most of the time.
_LATENCY = 0.2
_PARTITIONS = (6, 1)


def two_workers(place: Place, *, messages: int, rounds: int) -> list[Result]:
    """Compare two workers with one, on a topic with several partitions and on one with a single partition."""
    speeds: dict[tuple[int, int], list[float]] = {(of, number): [] for of in _PARTITIONS for number in (1, 2)}
    for _ in range(rounds):
        for (partitions, processes), runs in speeds.items():
            setup = Setup(processes=processes, partitions=partitions, latency=_LATENCY)
            speed = releases(place, messages * (processes if partitions > 1 else 1), setup)
            runs.append(speed.per_second)
    return [_result({number: median(speeds[of, number]) for number in (1, 2)}, of) for of in _PARTITIONS]


def _result(speeds: dict[int, float], partitions: int) -> Result:
    several = partitions > 1
    name = f"Two workers against one on {partitions} partition{'s' * several}"
    details: dict[str, object] = {f"{number}: messages per second": round(speed, 1) for number, speed in speeds.items()}
    details["API's latency in ms"] = _LATENCY * 1000
    return Result(name, speeds[2] / speeds[1], aim=Ratio(least=1.8) if several else Ratio(), details=details)
