# SPDX-License-Identifier: GPL-3.0-or-later
"""The throughput of messages with three workflows each, compared with pools without Kafka and a concurrency of one."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from benchmarks.environment import BenchmarkEnvironment, run_module
from benchmarks.measuring import Ratio, Result, Speed, watch

__all__ = ["LATENCY", "WORKFLOWS", "Setup", "release_throughput", "releases"]

#: Workflows for each package-released message: two solvers and one reverse solver.
WORKFLOWS = 3
#: Latency of each request to the cluster's API, in seconds.
LATENCY = 0.02
_THREADS = 20


@dataclass(frozen=True)
class Setup:
    """The environment variables of a worker, and a function to call before its start, when the API has no workflows."""

    variables: Mapping[str, str] = field(default_factory=dict)
    prepare: Callable[[], None] = lambda: None


def releases(environment: BenchmarkEnvironment, messages: int, setup: Setup) -> Speed:
    """Run one worker over `messages` package-released messages and return its speed in messages."""
    environment.api.reset(LATENCY)
    with environment.stage() as stage:
        setup.prepare()
        stage.fill(messages)
        with stage.worker(**setup.variables) as worker:
            return watch([worker.process.pid], lambda: environment.api.created() // WORKFLOWS, messages)


def release_throughput(environment: BenchmarkEnvironment, *, messages: int, rounds: int) -> list[Result]:
    """Compare a worker with bare thread pools, and with a worker whose concurrency is one message."""
    few = max(messages // 20, 10)
    kinds: dict[str, Callable[[], Speed]] = {
        "thoth-common in a bare pool": lambda: _pool(environment, "common", messages),
        "investigator's client in a bare pool": lambda: _pool(environment, "investigator", messages),
        "worker": lambda: releases(environment, messages, Setup()),
        "worker with a concurrency of one": lambda: releases(
            environment, few, Setup(variables={"THOTH_CONSUMER_WORKERS": "1"})
        ),
    }
    runs: dict[str, list[Speed]] = {name: [] for name in kinds}
    for _ in range(rounds):
        for name, run in kinds.items():
            runs[name].append(run())
    speeds = {name: Speed.of_medians(rounds_of) for name, rounds_of in runs.items()}
    return _results(speeds, {"messages": messages, "rounds": rounds, "API's latency in ms": LATENCY * 1000})


def _pool(environment: BenchmarkEnvironment, client: str, messages: int) -> Speed:
    environment.api.reset(LATENCY)
    with environment.stage() as stage:
        log = stage.sandbox.folder / f"pool-{client}.log"
        variables = {**stage.sandbox.env(), "BENCHMARK_SOLVERS": ",".join(environment.api.cluster.solvers)}
        sizes = str(_THREADS), str(messages)
        run_module("benchmarks.bare_pool", client, *sizes, log=log, environment=variables).wait(300)
        seconds, cpu = map(float, log.read_text("utf-8").splitlines()[-1].split())
    return Speed(messages / seconds, cpu / messages)


def _results(speeds: dict[str, Speed], details: dict[str, object]) -> list[Result]:
    for name, speed in speeds.items():
        details[f"{name}: messages per second"] = round(speed.per_second, 1)
        details[f"{name}: processor milliseconds per message"] = round(speed.cpu_seconds * 1e3, 2)
    common, own_client, worker, one = (speed.per_second for speed in speeds.values())
    return [
        Result(
            "Worker compared with a bare pool of thoth-common calls",
            worker / common,
            target=Ratio(least=0.8),
            details=details,
        ),
        Result(
            "Worker compared with a bare pool of calls of its own client", worker / own_client, target=Ratio(least=0.8)
        ),
        Result("Worker compared with itself at a concurrency of one message", worker / one, target=Ratio(least=10)),
    ]
