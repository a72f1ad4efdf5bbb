# SPDX-License-Identifier: GPL-3.0-or-later
"""The cost of the delivery engine itself: messages whose handler has nothing to do."""

from dataclasses import replace

from benchmarks.environment import UNREVSOLVED, BenchmarkEnvironment, BenchmarkStage, processed
from benchmarks.measuring import Ratio, Result, Speed, watch
from sandbox.tcp_ports import free_port

__all__ = ["NO_WORK", "engine_cost"]

#: With this variable, an unrevsolved-package message passes through the whole engine, but its handler does nothing.
NO_WORK = {"THOTH_INVESTIGATOR_SCHEDULE_REVSOLVER": "0"}


def engine_cost(environment: BenchmarkEnvironment, *, messages: int, rounds: int) -> list[Result]:
    """Compare a worker whose handler does nothing with a bare Faust agent and a bare loop over an aiokafka consumer."""
    speeds: dict[str, list[Speed]] = {"worker": [], "faust": [], "aiokafka": []}
    for _ in range(rounds):
        with environment.stage(base_name=UNREVSOLVED) as stage:
            stage.fill(messages)
            speeds["aiokafka"].append(_bare(stage, messages, "bare_aiokafka"))
            speeds["faust"].append(_bare(stage, messages, "bare_faust", "worker", "--web-port", str(free_port())))
            speeds["worker"].append(_worker(stage, messages))
    return _results({name: Speed.of_medians(runs) for name, runs in speeds.items()}, messages, rounds)


def _bare(stage: BenchmarkStage, messages: int, module: str, *arguments: str) -> Speed:
    with stage.bare(module, *arguments) as (process, count):
        return watch([process.pid], count, messages, every=0.02)


def _worker(stage: BenchmarkStage, messages: int) -> Speed:
    with stage.worker(**NO_WORK) as worker:
        return watch([worker.process.pid], lambda: processed(worker), messages)


def _results(speeds: dict[str, Speed], messages: int, rounds: int) -> list[Result]:
    details: dict[str, object] = {"messages": messages, "rounds": rounds}
    for name, speed in speeds.items():
        details[f"{name}: messages per second"] = round(speed.per_second)
        details[f"{name}: processor microseconds per message"] = round(speed.cpu_seconds * 1e6)
    worker, faust, aiokafka = speeds["worker"], speeds["faust"], speeds["aiokafka"]
    cpu_time = Result(
        "Engine's cost per message compared with a bare Faust agent (processor time)",
        worker.cpu_seconds / faust.cpu_seconds,
        target=Ratio(most=1.5),
        details=details,
    )
    wall_time = replace(
        cpu_time, name="The same in wall-clock time", value=faust.per_second / worker.per_second, details={}
    )
    baseline = replace(
        wall_time, name="A bare Faust agent compared with a bare loop over aiokafka (processor time)", target=Ratio()
    )
    return [cpu_time, wall_time, replace(baseline, value=faust.cpu_seconds / aiokafka.cpu_seconds)]
