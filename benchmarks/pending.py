# SPDX-License-Identifier: GPL-3.0-or-later
"""What the pending limit costs in a namespace that holds few or many workflows."""

from functools import partial

from benchmarks.environment import BenchmarkEnvironment
from benchmarks.measuring import Ratio, Result, Speed, median
from benchmarks.throughput import LATENCY, Setup, releases

__all__ = ["full_namespaces"]

_FEW, _MANY = 1_000, 20_000
_LIMIT = {"ARGO_PENDING_WORKFLOW_LIMIT": "100000"}  # never in the way: what the counting costs is the question


def full_namespaces(environment: BenchmarkEnvironment, *, messages: int, rounds: int) -> list[Result]:
    """Compare workers with a limit in namespaces with few and with many workflows, all finished, and one without."""
    runs: dict[str, list[Speed]] = {"few": [], "many": [], "no limit": []}
    counts: dict[str, list[float]] = {"few": [], "many": []}
    for _ in range(rounds):
        for name, workflows in (("few", _FEW), ("many", _MANY)):
            runs[name].append(releases(environment, messages, _limited(environment, workflows)))
            counts[name] += _counting(environment)
        runs["no limit"].append(releases(environment, messages, Setup()))
    speeds = {name: Speed.middle(of) for name, of in runs.items()}
    details: dict[str, object] = {"messages": messages, "rounds": rounds, "API's latency in ms": LATENCY * 1000}
    details |= {
        f"{name}: milliseconds of a page of a count, median": round(median(of), 1) for name, of in counts.items()
    }
    for name, speed in speeds.items():
        details[f"{name}: messages per second"] = round(speed.per_second, 1)
        details[f"{name}: processor milliseconds per message"] = round(speed.cpu_seconds * 1e3, 2)
    few, many, without = (speed.per_second for speed in speeds.values())
    first = f"Time per message with {_MANY} workflows in the namespace against {_FEW}"
    return [
        Result(first, few / many, aim=Ratio(most=1.1), details=details),
        Result(f"Time per message with the limit and {_MANY} workflows against no limit", without / many),
    ]


def _limited(environment: BenchmarkEnvironment, workflows: int) -> Setup:
    return Setup(variables=_LIMIT, prepare=partial(_seed, environment, workflows))


def _counting(environment: BenchmarkEnvironment) -> list[float]:
    """Give the milliseconds that each page of a count took the API."""
    lists = [request for request in environment.api.requests() if request["method"] == "GET"]
    return [1000 * request["seconds"] for request in lists if request["path"].endswith("/workflows")]


def _seed(environment: BenchmarkEnvironment, count: int) -> None:
    environment.api.seed(environment.api.cluster.namespaces.middletier, count // 2, "Succeeded")
    environment.api.seed(environment.api.cluster.namespaces.middletier, count - count // 2, "Running")
