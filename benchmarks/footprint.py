# SPDX-License-Identifier: GPL-3.0-or-later
"""A worker's memory over many messages, and the time from its start to its first message."""

import time
from collections.abc import Callable

from benchmarks.engine import NO_WORK
from benchmarks.environment import UNREVSOLVED, BenchmarkEnvironment, BenchmarkStage, processed
from benchmarks.measuring import Ratio, Result, median, memory, watch
from sandbox.processes import eventually
from sandbox.tcp_ports import free_port

__all__ = ["memory_over_time", "start_time"]


def memory_over_time(environment: BenchmarkEnvironment, *, few: int, many: int) -> list[Result]:
    """Compare a worker's resident memory after `many` messages with that after `few`."""
    with environment.stage(base_name=UNREVSOLVED) as stage, stage.worker(**NO_WORK) as worker:
        sizes = [memory(worker.process.pid)]
        for total, more in ((few, few), (many, many - few)):
            stage.fill(more)
            watch([worker.process.pid], lambda: processed(worker), total)
            sizes.append(memory(worker.process.pid))
    names = ("at the start", f"after {few}", f"after {many}")
    details: dict[str, object] = {f"MiB {name}": round(size, 1) for name, size in zip(names, sizes, strict=True)}
    return [
        Result(
            f"Memory after {many:,} messages compared with {few:,}",
            sizes[2] / sizes[1],
            target=Ratio(most=1.05),
            details=details,
        )
    ]


def start_time(environment: BenchmarkEnvironment, *, rounds: int) -> list[Result]:
    """Compare a worker and a bare Faust agent by the seconds from process start to the first message."""
    kinds: dict[str, Callable[[BenchmarkStage], float]] = {"worker": _worker, "faust": _faust}
    seconds: dict[str, list[float]] = {name: [] for name in kinds}
    for _ in range(rounds):
        with environment.stage(base_name=UNREVSOLVED) as stage:
            stage.fill(10)
            for name, run in kinds.items():
                seconds[name].append(run(stage))
    medians = {name: median(runs) for name, runs in seconds.items()}
    details: dict[str, object] = {
        f"{name}: seconds to the first message": round(value, 1) for name, value in medians.items()
    }
    name = "Time from start to first message, beyond a bare Faust agent's"
    return [Result(name, medians["worker"] - medians["faust"], "s", details=details)]


def _worker(stage: BenchmarkStage) -> float:
    started = time.perf_counter()
    with stage.worker(**NO_WORK) as worker:
        return _seconds_until(lambda: processed(worker) > 0, started)


def _faust(stage: BenchmarkStage) -> float:
    started = time.perf_counter()
    with stage.bare("bare_faust", "worker", "--web-port", str(free_port())) as (_, count):
        return _seconds_until(lambda: count() > 0, started)


def _seconds_until(reached: Callable[[], bool], started: float) -> float:
    if not eventually(reached, 60, 0.05):
        raise TimeoutError("no message was processed within 60 s")
    return time.perf_counter() - started
