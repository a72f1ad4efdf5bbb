# SPDX-License-Identifier: GPL-3.0-or-later
"""Messages that ask for three workflows each, against the same workflows without Kafka, and against one at a time."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from benchmarks.environment import BenchmarkEnvironment, run_module
from benchmarks.measuring import Ratio, Result, Speed, watch

__all__ = ["LATENCY", "WORKFLOWS", "Setup", "many_releases", "releases"]

#: Workflows that a message about a release asks for: two solvers, one reverse solver.
WORKFLOWS = 3
#: Seconds that the cluster's API takes for each request.
LATENCY = 0.02
_WORKERS = 20


@dataclass(frozen=True)
class Setup:
    """How a worker is run: with which variables, and what is called before, once the API is empty."""

    variables: Mapping[str, str] = field(default_factory=dict)
    prepare: Callable[[], None] = lambda: None


def releases(environment: BenchmarkEnvironment, messages: int, setup: Setup) -> Speed:
    """Let a worker handle messages about releases; the speed is in messages."""
    environment.api.reset(LATENCY)
    with environment.stage() as stage:
        setup.prepare()
        stage.fill(messages)
        with stage.worker(**setup.variables) as worker:
            return watch([worker.process.pid], lambda: environment.api.created() // WORKFLOWS, messages)


def many_releases(environment: BenchmarkEnvironment, *, messages: int, rounds: int) -> list[Result]:
    """Compare a worker with a bare pool of threads, and with itself at one message at a time."""
    few = max(messages // 20, 10)
    kinds: dict[str, Callable[[], Speed]] = {
        "thoth-common in a bare pool": lambda: _pool(environment, "common", messages),
        "our client in a bare pool": lambda: _pool(environment, "ours", messages),
        "worker": lambda: releases(environment, messages, Setup()),
        "worker, one message at a time": lambda: releases(
            environment, few, Setup(variables={"THOTH_CONSUMER_WORKERS": "1"})
        ),
    }
    runs: dict[str, list[Speed]] = {name: [] for name in kinds}
    for _ in range(rounds):
        for name, run in kinds.items():
            runs[name].append(run())
    speeds = {name: Speed.middle(of) for name, of in runs.items()}
    return _results(speeds, {"messages": messages, "rounds": rounds, "API's latency in ms": LATENCY * 1000})


def _pool(environment: BenchmarkEnvironment, client: str, messages: int) -> Speed:
    environment.api.reset(LATENCY)
    with environment.stage() as stage:
        log = stage.sandbox.folder / f"pool-{client}.log"
        variables = {**stage.sandbox.env(), "BENCHMARK_SOLVERS": ",".join(environment.api.cluster.solvers)}
        numbers = str(_WORKERS), str(messages)
        run_module("benchmarks.bare_pool", client, *numbers, log=log, environment=variables).wait(300)
        seconds, cpu = map(float, log.read_text("utf-8").splitlines()[-1].split())
    return Speed(messages / seconds, cpu / messages)


def _results(speeds: dict[str, Speed], details: dict[str, object]) -> list[Result]:
    for name, speed in speeds.items():
        details[f"{name}: messages per second"] = round(speed.per_second, 1)
        details[f"{name}: processor milliseconds per message"] = round(speed.cpu_seconds * 1e3, 2)
    common, ours, worker, one = (speed.per_second for speed in speeds.values())
    return [
        Result(
            "Worker against a bare pool of thoth-common calls", worker / common, aim=Ratio(least=0.8), details=details
        ),
        Result("Worker against a bare pool of calls of its own client", worker / ours, aim=Ratio(least=0.8)),
        Result("Worker against itself with one message at a time", worker / one, aim=Ratio(least=10)),
    ]
