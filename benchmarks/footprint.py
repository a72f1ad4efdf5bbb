# SPDX-License-Identifier: GPL-3.0-or-later
"""The memory of a worker over many messages, and the time that it takes to start."""

import time
from collections.abc import Callable

from benchmarks.engine import IDLE
from benchmarks.environment import UNREVSOLVED, BenchmarkEnvironment, BenchmarkStage, processed
from benchmarks.measuring import Ratio, Result, median, memory, watch
from sandbox.ports import free_port
from sandbox.processes import eventually

__all__ = ["memory_over_time", "start_up"]


def memory_over_time(environment: BenchmarkEnvironment, *, few: int, many: int) -> list[Result]:
    """Compare the memory after many messages with that after few."""
    with environment.stage(base_name=UNREVSOLVED) as stage, stage.worker(**IDLE) as worker:
        sizes = [memory(worker.process.pid)]
        for total, more in ((few, few), (many, many - few)):
            stage.fill(more)
            watch([worker.process.pid], lambda: processed(worker), total)
            sizes.append(memory(worker.process.pid))
    names = ("at the start", f"after {few}", f"after {many}")
    details: dict[str, object] = {f"MiB {name}": round(size, 1) for name, size in zip(names, sizes, strict=True)}
    return [
        Result(
            f"Memory after {many} messages against {few}", sizes[2] / sizes[1], aim=Ratio(most=1.05), details=details
        )
    ]


def start_up(environment: BenchmarkEnvironment, *, rounds: int) -> list[Result]:
    """Compare the times from the start of a process to its first message."""
    kinds: dict[str, Callable[[BenchmarkStage], float]] = {"worker": _worker, "faust": _faust}
    seconds: dict[str, list[float]] = {name: [] for name in kinds}
    for _ in range(rounds):
        with environment.stage(base_name=UNREVSOLVED) as stage:
            stage.fill(10)
            for name, run in kinds.items():
                seconds[name].append(run(stage))
    middle = {name: median(runs) for name, runs in seconds.items()}
    details: dict[str, object] = {f"{name}: seconds to the first message": round(of, 1) for name, of in middle.items()}
    name = "Seconds from start to first message, beyond a bare Faust agent's"
    return [Result(name, middle["worker"] - middle["faust"], "s", details=details)]


def _worker(stage: BenchmarkStage) -> float:
    began = time.perf_counter()
    with stage.worker(**IDLE) as worker:
        return _until(lambda: processed(worker) > 0, began)


def _faust(stage: BenchmarkStage) -> float:
    began = time.perf_counter()
    with stage.bare("bare_faust", "worker", "--web-port", str(free_port())) as (_, count):
        return _until(lambda: count() > 0, began)


def _until(reached: Callable[[], bool], began: float) -> float:
    if not eventually(reached, 60, 0.05):
        raise TimeoutError("nothing was handled")
    return time.perf_counter() - began
