# SPDX-License-Identifier: GPL-3.0-or-later
"""The stop of a worker ends the threads, tasks and connections of its handlers' clients."""

import asyncio
import contextlib
import gc
import threading
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import CollectorRegistry

from investigator.agent.context import Services
from investigator.app import create_app
from investigator.delivery.origin import Origin
from investigator.observability.redaction import Redactor
from investigator.services import build_services
from investigator.settings import load_settings
from sandbox.environment import Sandbox
from tests.support.cluster_clients import ARGUMENTS
from tests.support.polling import until

LIMIT = {"ARGO_PENDING_WORKFLOW_LIMIT": "1", "ARGO_PENDING_SLEEP_TIME": "600"}


@pytest.fixture
def built(monkeypatch: pytest.MonkeyPatch) -> list[Services]:
    """The services of the workers that the test builds; nothing of these workers stays in this process."""
    built: list[Services] = []

    def build(*arguments: Any, **options: Any) -> Services:  # noqa: ANN401 - those of the original
        built.append(build_services(*arguments, **options))
        return built[-1]

    monkeypatch.setattr("investigator.app.build_services", build)
    monkeypatch.setattr("investigator.app.REGISTRY", CollectorRegistry())
    for patch in ("tolerate_non_utf8_header_names", "pause_on_unreadable_batch"):
        monkeypatch.setattr(f"investigator.app.{patch}", lambda *_: None)
    return built


def call_threads() -> int:
    """Count the threads that call the cluster, the graph and the package indexes."""
    return sum(thread.name.startswith(("cluster-", "graph-", "index-")) for thread in threading.enumerate())


def counting_tasks() -> int:
    """Count the tasks that count the pending workflows of a namespace."""
    return sum("_count_while_needed" in repr(task.get_coro()) for task in asyncio.all_tasks())


def sockets() -> int:
    """Count the open sockets of this process; the servers of the sandbox have some of them."""
    count = 0
    for file in Path("/proc/self/fd").iterdir():
        with contextlib.suppress(FileNotFoundError):  # closed since it was listed
            count += str(file.readlink()).startswith("socket:")
    return count


async def use(services: Services, sandbox: Sandbox) -> None:
    """Make a call with each client; the one of the cluster waits for a permit until it is cancelled."""
    sandbox.cluster.seed(sandbox.cluster.namespaces.middletier, 10)
    waiting = asyncio.create_task(
        services.workflows.schedule(
            "solver", Origin("topic", 0, 0, 0), base_name="topic", arguments=ARGUMENTS["solver"]
        )
    )
    await services.graph.enabled_index_urls()
    await services.index.versions(sandbox.index.index_url(), "flask")
    await until(lambda: bool(sandbox.cluster.request_log.find("GET", "*/workflows")))
    waiting.cancel()
    await asyncio.wait([waiting])


@pytest.mark.usefixtures("cluster_environment")
async def test_a_stopped_worker_has_ended_its_threads_tasks_and_connections(
    sandbox: Sandbox, built: list[Services]
) -> None:
    """Nothing that its handlers' clients started goes on, though the count of pending workflows was due in minutes."""
    app = create_app(load_settings(sandbox.env(**LIMIT)), Redactor())
    await asyncio.to_thread(app.lifecycle.prepare)
    gc.collect()  # closes connections that tests before this one may have left open
    threads_before, sockets_before = call_threads(), sockets()
    await use(built[0], sandbox)
    assert (call_threads() >= threads_before + 3, counting_tasks()) == (True, 1)
    await app.stop()
    await until(lambda: (call_threads(), counting_tasks()) == (threads_before, 0))
    await until(lambda: sockets() <= sockets_before)


async def test_a_worker_that_has_built_no_clients_stops_too(sandbox: Sandbox, built: list[Services]) -> None:
    """The stop builds none, either."""
    await create_app(load_settings(sandbox.env()), Redactor()).stop()
    assert built == []
