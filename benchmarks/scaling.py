# SPDX-License-Identifier: GPL-3.0-or-later
"""The throughput of two workers compared with one, while the API's latency is the bottleneck."""

from benchmarks.environment import BenchmarkEnvironment, processed
from benchmarks.measuring import Ratio, Result, median, watch
from benchmarks.throughput import WORKFLOWS

__all__ = ["two_workers"]

# High enough that two workers on a small machine spend most of their time in waits for the API.
_LATENCY = 0.2
_PARTITIONS = (6, 1)
_WARM_UP = 30


def two_workers(environment: BenchmarkEnvironment, *, messages: int, rounds: int) -> list[Result]:
    """Compare two workers with one, on a topic with several partitions and on one with a single partition."""
    speeds: dict[tuple[int, int], list[float]] = {
        (partitions, number): [] for partitions in _PARTITIONS for number in (1, 2)
    }
    for _ in range(rounds):
        for (partitions, processes), runs in speeds.items():
            factor = processes if partitions > 1 else 1
            runs.append(_speed(environment, messages * factor, partitions, processes))
    return [
        _result({number: median(speeds[partitions, number]) for number in (1, 2)}, partitions)
        for partitions in _PARTITIONS
    ]


def _speed(environment: BenchmarkEnvironment, messages: int, partitions: int, processes: int) -> float:
    """Return the messages per second of `processes` workers, measured once each assigned worker has processed some."""
    environment.api.reset(_LATENCY)
    with environment.stage(partitions) as stage:
        stage.fill(_WARM_UP)
        with stage.workers(processes) as workers:
            sent = _WARM_UP
            environment.api.wait_for(sent * WORKFLOWS)
            while sum(processed(worker) > 0 for worker in workers) < min(processes, partitions):
                stage.fill(_WARM_UP)
                sent += _WARM_UP
                environment.api.wait_for(sent * WORKFLOWS)
            stage.fill(messages)
            pids = [worker.process.pid for worker in workers]
            return watch(pids, lambda: environment.api.created() // WORKFLOWS - sent, messages).per_second


def _result(speeds: dict[int, float], partitions: int) -> Result:
    several = partitions > 1
    name = f"Two workers compared with one, on {partitions} partition{'s' * several}"
    details: dict[str, object] = {f"{number}: messages per second": round(speed, 1) for number, speed in speeds.items()}
    details["API's latency in ms"] = _LATENCY * 1000
    return Result(name, speeds[2] / speeds[1], target=Ratio(least=1.8) if several else Ratio(), details=details)
