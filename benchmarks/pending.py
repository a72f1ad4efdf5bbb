# SPDX-License-Identifier: GPL-3.0-or-later
"""The cost of the pending limit in a namespace with few or many workflows."""

from functools import partial

from benchmarks.environment import BenchmarkEnvironment
from benchmarks.measuring import Ratio, Result, Speed, median
from benchmarks.throughput import LATENCY, Setup, releases

__all__ = ["pending_limit_cost"]

_FEW, _MANY = 1_000, 20_000
_LIMIT = {
    "ARGO_PENDING_WORKFLOW_LIMIT": "100000"
}  # out of reach: the benchmark measures the cost of counting, not of waiting


def pending_limit_cost(environment: BenchmarkEnvironment, *, messages: int, rounds: int) -> list[Result]:
    """Compare workers with the limit, in namespaces with few and with many started workflows, and without it."""
    runs: dict[str, list[Speed]] = {"few": [], "many": [], "no limit": []}
    page_times: dict[str, list[float]] = {"few": [], "many": []}
    for _ in range(rounds):
        for name, workflows in (("few", _FEW), ("many", _MANY)):
            runs[name].append(releases(environment, messages, _limited(environment, workflows)))
            page_times[name] += _page_times(environment)
        runs["no limit"].append(releases(environment, messages, Setup()))
    speeds = {name: Speed.of_medians(rounds_of) for name, rounds_of in runs.items()}
    details: dict[str, object] = {"messages": messages, "rounds": rounds, "API's latency in ms": LATENCY * 1000}
    details |= {
        f"{name}: milliseconds of a page of a count, median": round(median(times), 1)
        for name, times in page_times.items()
    }
    for name, speed in speeds.items():
        details[f"{name}: messages per second"] = round(speed.per_second, 1)
        details[f"{name}: processor milliseconds per message"] = round(speed.cpu_seconds * 1e3, 2)
    few, many, unlimited = (speed.per_second for speed in speeds.values())
    name = f"Time per message with {_MANY:,} workflows in the namespace compared with {_FEW:,}"
    return [
        Result(name, few / many, target=Ratio(most=1.1), details=details),
        Result(f"Time per message with the limit and {_MANY:,} workflows compared with no limit", unlimited / many),
    ]


def _limited(environment: BenchmarkEnvironment, workflows: int) -> Setup:
    return Setup(variables=_LIMIT, prepare=partial(_seed, environment, workflows))


def _page_times(environment: BenchmarkEnvironment) -> list[float]:
    """Return the milliseconds that the API took for each page of a count."""
    lists = [request for request in environment.api.requests() if request["method"] == "GET"]
    return [1000 * request["seconds"] for request in lists if request["path"].endswith("/workflows")]


def _seed(environment: BenchmarkEnvironment, count: int) -> None:
    environment.api.seed(environment.api.cluster.namespaces.middletier, count // 2, "Succeeded")
    environment.api.seed(environment.api.cluster.namespaces.middletier, count - count // 2, "Running")
