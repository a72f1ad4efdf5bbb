# SPDX-License-Identifier: GPL-3.0-or-later
"""`python -m benchmarks [--quick] [NAME...]`: measures, prints a table, and keeps it as JSON in benchmarks/results."""

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
from benchmarks.footprint import memory_over_time, start_up
from benchmarks.latency import at_rest
from benchmarks.measuring import Result
from benchmarks.pending import full_namespaces
from benchmarks.scaling import two_workers
from benchmarks.throughput import many_releases

Benchmark = Callable[[BenchmarkEnvironment], list[Result]]

_RESULTS = Path(__file__).with_name("results") / "latest.json"

_WHOLE: Mapping[str, Benchmark] = {
    "engine": partial(engine_cost, messages=60_000, rounds=3),
    "releases": partial(many_releases, messages=1000, rounds=3),
    "pending": partial(full_namespaces, messages=600, rounds=3),
    "rest": partial(at_rest, messages=150),
    "workers": partial(two_workers, messages=300, rounds=2),
    "memory": partial(memory_over_time, few=10_000, many=200_000),
    "start": partial(start_up, rounds=3),
}
_QUICK: Mapping[str, Benchmark] = {
    "engine": partial(engine_cost, messages=10_000, rounds=1),
    "releases": partial(many_releases, messages=500, rounds=1),
    "pending": partial(full_namespaces, messages=500, rounds=1),
    "rest": partial(at_rest, messages=40),
    "workers": partial(two_workers, messages=150, rounds=1),
    "memory": partial(memory_over_time, few=2_000, many=20_000),
    "start": partial(start_up, rounds=1),
}


def main() -> None:
    """Run what was asked for."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks")
    parser.add_argument("--quick", action="store_true", help="fewer messages and one round: a look, not a measurement")
    parser.add_argument("--keep", type=Path, default=_RESULTS, help="where the results go")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"some of {', '.join(_WHOLE)}; all by default")
    arguments = parser.parse_args()
    known = _QUICK if arguments.quick else _WHOLE
    if unknown := [name for name in arguments.names if name not in known]:
        parser.error(f"there is no benchmark {unknown[0]}")
    chosen = {name: known[name] for name in arguments.names or known}
    with running_environment() as environment:
        results: list[Result] = []
        for name, run in chosen.items():
            results += _run(name, run, environment)
            _keep(results, arguments.keep, quick=arguments.quick)
    print(f"\nKept in {arguments.keep}")


def _run(name: str, run: Benchmark, environment: BenchmarkEnvironment) -> list[Result]:
    began = time.monotonic()
    results = run(environment)
    print(f"\n{name} ({time.monotonic() - began:.0f} s)")
    for result in results:
        aim = f"aim {result.aim}: {result.verdict}" if result.verdict else ""
        print(f"  {result.name:<86} {result.value:8.2f} {result.unit:<3} {aim}")
        for what, value in result.details.items():
            print(f"      {what:<82} {value}", flush=True)
    return results


def _keep(results: list[Result], path: Path, *, quick: bool) -> None:
    machine = {"processors": os.cpu_count(), "python": platform.python_version(), "load": os.getloadavg()}
    lines = [{**asdict(result), "aim": str(result.aim), "reached": result.verdict} for result in results]
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps({"quick": quick, "machine": machine, "results": lines}, indent=2) + "\n", "utf-8")


if __name__ == "__main__":
    main()
