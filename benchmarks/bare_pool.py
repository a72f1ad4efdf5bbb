# SPDX-License-Identifier: GPL-3.0-or-later
"""The workflows of package-released messages without Kafka: `python -m benchmarks.bare_pool CLIENT THREADS MESSAGES`.

CLIENT is `common` for thoth-common itself, or `investigator` for investigator's client. The program prints two numbers:
the elapsed seconds, and the processor seconds of its process.
"""

import os
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING, Any

from thoth.common import OpenShift

from investigator.argo.ids import workflow_id
from investigator.argo.labels import trace_metadata
from investigator.delivery.origin import Origin
from investigator.services import build_cluster
from investigator.settings import load_settings

if TYPE_CHECKING:
    from investigator.argo.client import ClusterClient

_TOPIC = "bench.thoth.package-release.package-released"
Submit = Callable[[str, dict[str, Any]], None]


def _common() -> Submit:
    openshift = OpenShift()
    return lambda method, arguments: getattr(openshift, method)(**arguments)


def _investigator() -> Submit:
    cluster: ClusterClient = build_cluster(load_settings())
    metadata = trace_metadata("thoth.package-release.package-released", Origin(_TOPIC, 0, 0, 0))

    def submit(method: str, arguments: dict[str, Any]) -> None:
        cluster.create(cluster.prepare(method, arguments), metadata)

    return submit


def _jobs(messages: int, solvers: list[str]) -> list[tuple[str, dict[str, Any]]]:
    jobs: list[tuple[str, dict[str, Any]]] = []
    for number in range(messages):
        name, version, origin = f"package-{number}", f"1.{number}.0", Origin(_TOPIC, 0, number, time.time_ns() // 10**6)
        for solver in solvers:
            arguments = {"solver": solver, "packages": f"{name}==={version}", "indexes": ["https://pypi.org/simple"]}
            jobs.append(("schedule_solver", {**arguments, "transitive": False, "job_id": workflow_id(solver, origin)}))
        arguments = {"package_name": name, "package_version": version, "job_id": workflow_id("revsolver", origin)}
        jobs.append(("schedule_revsolver", arguments))
    return jobs


def main(client: str, threads: int, messages: int) -> None:
    """Create the workflows of `messages` messages from a pool of `threads` threads, and print the times."""
    submit = {"common": _common, "investigator": _investigator}[client]()
    jobs = _jobs(messages, os.environ["BENCHMARK_SOLVERS"].split(","))
    started, cpu = time.perf_counter(), time.process_time()
    with ThreadPoolExecutor(threads) as pool:
        for future in [pool.submit(partial(submit, *job)) for job in jobs]:
            future.result()
    print(time.perf_counter() - started, time.process_time() - cpu)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
