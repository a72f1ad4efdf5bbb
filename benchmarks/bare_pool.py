# SPDX-License-Identifier: GPL-3.0-or-later
"""The same workflows without Kafka: `python -m benchmarks.bare_pool CLIENT THREADS MESSAGES`.

CLIENT is `common` for thoth-common as it is, or `ours` for the client of investigator. Prints the seconds that it took,
and the processor time of the process in that time.
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


def _ours() -> Submit:
    cluster: ClusterClient = build_cluster(load_settings())
    own = trace_metadata("thoth.package-release.package-released", Origin(_TOPIC, 0, 0, 0))

    def submit(method: str, arguments: dict[str, Any]) -> None:
        cluster.create(cluster.prepare(method, arguments), own)

    return submit


def _jobs(messages: int, solvers: list[str]) -> list[tuple[str, dict[str, Any]]]:
    jobs: list[tuple[str, dict[str, Any]]] = []
    for number in range(messages):
        name, version, origin = f"package-{number}", f"1.{number}.0", Origin(_TOPIC, 0, number, time.time_ns() // 10**6)
        for solver in solvers:
            one = {"solver": solver, "packages": f"{name}==={version}", "indexes": ["https://pypi.org/simple"]}
            jobs.append(("schedule_solver", {**one, "transitive": False, "job_id": workflow_id(solver, origin)}))
        two = {"package_name": name, "package_version": version, "job_id": workflow_id("revsolver", origin)}
        jobs.append(("schedule_revsolver", two))
    return jobs


def main(client: str, threads: int, messages: int) -> None:
    """Submit them all."""
    submit = {"common": _common, "ours": _ours}[client]()
    jobs = _jobs(messages, os.environ["BENCHMARK_SOLVERS"].split(","))
    began, cpu = time.perf_counter(), time.process_time()
    with ThreadPoolExecutor(threads) as pool:
        for done in [pool.submit(partial(submit, *job)) for job in jobs]:
            done.result()
    print(time.perf_counter() - began, time.process_time() - cpu)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
