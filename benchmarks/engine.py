# SPDX-License-Identifier: GPL-3.0-or-later
"""What the engine itself costs: messages that nothing is to be done for."""

from dataclasses import replace

from benchmarks.environment import UNREVSOLVED, BenchmarkEnvironment, BenchmarkStage, processed
from benchmarks.measuring import Ratio, Result, Speed, watch
from sandbox.ports import free_port

__all__ = ["IDLE", "engine_cost"]

#: With this a message about a package without reverse solver goes all the way, and its handler has nothing to do.
IDLE = {"THOTH_INVESTIGATOR_SCHEDULE_REVSOLVER": "0"}


def engine_cost(environment: BenchmarkEnvironment, *, messages: int, rounds: int) -> list[Result]:
    """Compare a worker whose agents do nothing with a bare Faust agent and a bare loop over aiokafka's consumer."""
    speeds: dict[str, list[Speed]] = {"worker": [], "faust": [], "aiokafka": []}
    for _ in range(rounds):
        with environment.stage(base_name=UNREVSOLVED) as stage:
            stage.fill(messages)
            speeds["aiokafka"].append(_bare(stage, messages, "bare_aiokafka"))
            speeds["faust"].append(_bare(stage, messages, "bare_faust", "worker", "--web-port", str(free_port())))
            speeds["worker"].append(_worker(stage, messages))
    return _results({name: Speed.middle(runs) for name, runs in speeds.items()}, messages, rounds)


def _bare(stage: BenchmarkStage, messages: int, module: str, *arguments: str) -> Speed:
    with stage.bare(module, *arguments) as (process, count):
        return watch([process.pid], count, messages, every=0.02)


def _worker(stage: BenchmarkStage, messages: int) -> Speed:
    with stage.worker(**IDLE) as worker:
        return watch([worker.process.pid], lambda: processed(worker), messages)


def _results(speeds: dict[str, Speed], messages: int, rounds: int) -> list[Result]:
    details: dict[str, object] = {"messages": messages, "rounds": rounds}
    for name, speed in speeds.items():
        details[f"{name}: messages per second"] = round(speed.per_second)
        details[f"{name}: processor microseconds per message"] = round(speed.cpu_seconds * 1e6)
    worker, faust, aiokafka = speeds["worker"], speeds["faust"], speeds["aiokafka"]
    first = Result(
        "Engine's cost per message against a bare Faust agent (processor time)",
        worker.cpu_seconds / faust.cpu_seconds,
        aim=Ratio(most=1.5),
        details=details,
    )
    time = replace(first, name="The same in wall-clock time", value=faust.per_second / worker.per_second, details={})
    least = replace(time, name="A bare Faust agent against a bare loop over aiokafka (processor time)", aim=Ratio())
    return [first, time, replace(least, value=faust.cpu_seconds / aiokafka.cpu_seconds)]
