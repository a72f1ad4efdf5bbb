# SPDX-License-Identifier: GPL-3.0-or-later
"""Faults of the embedded servers, as clients see them."""

import time

import pytest
import requests

from sandbox.cluster import ClusterStandIn
from sandbox.faults import Fault, Faults
from sandbox.processes import eventually

WORKFLOWS = "/apis/argoproj.io/v1alpha1/namespaces/thoth-backend/workflows"


def ask(cluster: ClusterStandIn, path: str = "/version", timeout: float = 10.0) -> requests.Response:
    """Ask the stand-in for something, in a connection of its own."""
    return requests.get(cluster.url + path, headers={"Authorization": f"Bearer {cluster.token}"}, timeout=timeout)


def effects(faults: Faults, times: int = 1, method: str = "GET", path: str = "/version", body: str = "") -> list[str]:
    """Give the effects that so many like requests meet."""
    return [fault.effect for _ in range(times) for fault in faults.pick(method, path, body)]


@pytest.mark.parametrize(
    ("fault", "hit"),
    [
        (Fault(effect="reset"), True),
        (Fault(effect="reset", method="POST"), True),
        (Fault(effect="reset", method="GET"), False),
        (Fault(effect="reset", path="*/workflows"), True),
        (Fault(effect="reset", path="/version"), False),
        (Fault(effect="reset", namespace="thoth-backend"), True),
        (Fault(effect="reset", namespace="thoth"), False),
        (Fault(effect="reset", body="needle"), True),
        (Fault(effect="reset", body="pin"), False),
        (Fault(effect="reset", probability=0.0), False),
    ],
)
def test_a_fault_is_limited_by_each_of_its_conditions(fault: Fault, hit: bool) -> None:  # noqa: FBT001 - an expectation
    """Guarantee: method, path, namespace, body and probability must all fit."""
    faults = Faults()
    faults.set(fault)
    assert bool(effects(faults, 1, "POST", WORKFLOWS, "hay needle hay")) is hit


def test_a_fault_is_used_up() -> None:
    """Guarantee: a fault with a count meets so many requests, and the next in line meets the following ones."""
    faults = Faults()
    faults.set(Fault(effect="reset", count=2), Fault(effect="status", count=1))
    assert effects(faults, times=5) == ["reset", "reset", "status"]


def test_a_probability_is_kept() -> None:
    """Guarantee: a fault with a probability meets about that share of the requests."""
    faults = Faults()
    faults.set(Fault(effect="reset", probability=0.5))
    assert 400 < len(effects(faults, times=1000)) < 600


def test_latencies_add_up_with_another_fault() -> None:
    """Guarantee: a request may be slow and fail."""
    faults = Faults()
    faults.set(Fault(effect="status"), Fault(effect="latency"), Fault(effect="reset"), Fault(effect="latency"))
    assert effects(faults) == ["latency", "latency", "status"]


def test_latency_delays_the_reply(cluster: ClusterStandIn) -> None:
    """Guarantee: a latency is waited for, and the request is answered all the same."""
    cluster.faults.set(Fault(effect="latency", seconds=0.2))
    started = time.monotonic()
    assert ask(cluster).status_code == 200
    assert time.monotonic() - started >= 0.2


def test_a_reset_request_is_not_done(cluster: ClusterStandIn) -> None:
    """Guarantee: the client sees a broken connection, and the record shows no status."""
    cluster.faults.set(Fault(effect="reset"))
    with pytest.raises(requests.ConnectionError):
        ask(cluster)
    assert cluster.request_log.statuses() == {None: 1}


def test_a_hang_lasts_until_the_fault_is_gone(cluster: ClusterStandIn) -> None:
    """Guarantee: a hanging request gets no answer, others are served, and clearing the fault cuts it."""
    cluster.faults.set(Fault(effect="hang", path="/apis"))
    with pytest.raises(requests.ReadTimeout):
        ask(cluster, "/apis", timeout=0.1)
    assert ask(cluster).status_code == 200
    cluster.faults.clear()
    assert eventually(lambda: cluster.request_log.statuses(path="/apis") == {None: 1}, timeout=5)


def test_the_server_comes_back_with_its_content(cluster: ClusterStandIn) -> None:
    """Guarantee: a stop makes the API unreachable; a start brings it back on the same port with its workflows."""
    cluster.seed("thoth-backend", 3)
    cluster.stop()
    with pytest.raises(requests.ConnectionError):
        ask(cluster)
    cluster.start()
    assert len(ask(cluster, WORKFLOWS).json()["items"]) == 3


def test_stopping_does_not_wait_for_hanging_requests(cluster: ClusterStandIn) -> None:
    """Guarantee: a server with requests that hang stops at once."""
    cluster.faults.set(Fault(effect="hang"))
    with pytest.raises(requests.ReadTimeout):
        ask(cluster, timeout=0.1)
    started = time.monotonic()
    cluster.stop()
    assert time.monotonic() - started < 3
