# SPDX-License-Identifier: GPL-3.0-or-later
"""Run the benchmarks: `python -m benchmarks [--quick] [NAME...]`.

The command prints a table and writes it as JSON to benchmarks/results.
"""

import argparse
import json
import os
import platform
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict
from functools import partial
from pathlib import Path

from benchmarks.engine import engine_cost
from benchmarks.environment import BenchmarkEnvironment, running_environment
from benchmarks.footprint import memory_over_time, start_time
from benchmarks.latency import idle_latency
from benchmarks.measuring import Result
from benchmarks.pending import pending_limit_cost
from benchmarks.scaling import two_workers
from benchmarks.throughput import release_throughput

Benchmark = Callable[[BenchmarkEnvironment], list[Result]]

_RESULTS = Path(__file__).with_name("results") / "latest.json"

_FULL: Mapping[str, Benchmark] = {
    "engine": partial(engine_cost, messages=60_000, rounds=3),
    "releases": partial(release_throughput, messages=1000, rounds=3),
    "pending": partial(pending_limit_cost, messages=600, rounds=3),
    "rest": partial(idle_latency, messages=150),
    "workers": partial(two_workers, messages=300, rounds=2),
    "memory": partial(memory_over_time, few=10_000, many=200_000),
    "start": partial(start_time, rounds=3),
}
_QUICK: Mapping[str, Benchmark] = {
    "engine": partial(engine_cost, messages=10_000, rounds=1),
    "releases": partial(release_throughput, messages=500, rounds=1),
    "pending": partial(pending_limit_cost, messages=500, rounds=1),
    "rest": partial(idle_latency, messages=40),
    "workers": partial(two_workers, messages=150, rounds=1),
    "memory": partial(memory_over_time, few=2_000, many=20_000),
    "start": partial(start_time, rounds=1),
}


def main() -> None:
    """Run the benchmarks that the command line names, or all."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks")
    parser.add_argument(
        "--quick", action="store_true", help="fewer messages and one round: a first impression, not a measurement"
    )
    parser.add_argument("--output", type=Path, default=_RESULTS, help="the JSON file to write the results to")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"one or more of {', '.join(_FULL)}; all by default")
    arguments = parser.parse_args()
    benchmarks = _QUICK if arguments.quick else _FULL
    if unknown := [name for name in arguments.names if name not in benchmarks]:
        parser.error(f"there is no benchmark {unknown[0]}")
    chosen = {name: benchmarks[name] for name in arguments.names or benchmarks}
    with running_environment() as environment:
        results: list[Result] = []
        for name, run in chosen.items():
            results += _run(name, run, environment)
            _write(results, arguments.output, quick=arguments.quick)
    print(f"\nThe results are in {arguments.output}")


def _run(name: str, run: Benchmark, environment: BenchmarkEnvironment) -> list[Result]:
    started = time.monotonic()
    results = run(environment)
    print(f"\n{name} ({time.monotonic() - started:.0f} s)")
    for result in results:
        target = f"target {result.target}: {result.reached}" if result.reached else ""
        print(f"  {result.name:<86} {result.value:8.2f} {result.unit:<3} {target}")
        for detail, value in result.details.items():
            print(f"      {detail:<82} {value}", flush=True)
    return results


def _write(results: list[Result], path: Path, *, quick: bool) -> None:
    machine = {"processors": os.cpu_count(), "python": platform.python_version(), "load": os.getloadavg()}
    rows = [{**asdict(result), "target": str(result.target), "reached": result.reached} for result in results]
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps({"quick": quick, "machine": machine, "results": rows}, indent=2) + "\n", "utf-8")


if __name__ == "__main__":
    main()
