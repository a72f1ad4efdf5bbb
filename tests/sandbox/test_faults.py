# SPDX-License-Identifier: GPL-3.0-or-later
"""The faults of the embedded servers, as clients see them."""

import time

import pytest
import requests

from sandbox.cluster import ClusterStandIn
from sandbox.faults import Effect, Fault, Faults
from sandbox.processes import eventually

WORKFLOWS = "/apis/argoproj.io/v1alpha1/namespaces/thoth-backend/workflows"


def ask(cluster: ClusterStandIn, path: str = "/version", timeout: float = 10.0) -> requests.Response:
    """Send a GET request to the stand-in on a new connection."""
    return requests.get(cluster.url + path, headers={"Authorization": f"Bearer {cluster.token}"}, timeout=timeout)


def effects(faults: Faults, times: int = 1, method: str = "GET", path: str = "/version", body: str = "") -> list[str]:
    """Return the effects of the faults that apply to `times` equal requests."""
    return [fault.effect for _ in range(times) for fault in faults.pick(method, path, body)]


@pytest.mark.parametrize(
    ("fault", "applies"),
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
def test_a_fault_applies_only_if_all_its_conditions_match(fault: Fault, applies: bool) -> None:  # noqa: FBT001 - an expectation
    """The conditions are method, path, namespace, body and probability."""
    faults = Faults()
    faults.set(fault)
    assert bool(effects(faults, 1, "POST", WORKFLOWS, "hay needle hay")) is applies


def test_a_fault_with_a_count_applies_that_many_times() -> None:
    """The next fault in the list applies to the requests after that."""
    faults = Faults()
    faults.set(Fault(effect="reset", count=2), Fault(effect="status", count=1))
    assert effects(faults, times=5) == ["reset", "reset", "status"]


def test_a_server_knows_whether_its_faults_have_met_a_request() -> None:
    """Requests that no fault applies to, and those before the faults were set, do not count."""
    faults = Faults()
    fault = Fault(effect="reset", method="POST")
    faults.set(fault)
    effects(faults, 1, "GET", WORKFLOWS)
    assert not faults.have_met_requests()
    effects(faults, 1, "POST", WORKFLOWS)
    assert faults.have_met_requests()
    faults.set(fault)
    assert not faults.have_met_requests()


def test_a_fault_applies_with_its_probability() -> None:
    """About that share of many requests is affected."""
    faults = Faults()
    faults.set(Fault(effect="reset", probability=0.5))
    assert 400 < len(effects(faults, times=1000)) < 600


def test_all_latencies_and_the_first_other_fault_apply() -> None:
    """A request can be both slow and unsuccessful."""
    faults = Faults()
    faults.set(Fault(effect="status"), Fault(effect="latency"), Fault(effect="reset"), Fault(effect="latency"))
    assert effects(faults) == ["latency", "latency", "status"]


def test_a_latency_delays_the_reply(cluster: ClusterStandIn) -> None:
    """The request succeeds after the delay."""
    cluster.faults.set(Fault(effect="latency", seconds=0.2))
    started = time.monotonic()
    assert ask(cluster).status_code == 200
    assert time.monotonic() - started >= 0.2


def test_a_reset_closes_the_connection_without_a_reply(cluster: ClusterStandIn) -> None:
    """The client sees a connection error, and the log of requests has no status."""
    cluster.faults.set(Fault(effect="reset"))
    with pytest.raises(requests.ConnectionError):
        ask(cluster)
    assert cluster.request_log.statuses() == {None: 1}


def test_a_request_hangs_until_the_fault_is_removed(cluster: ClusterStandIn) -> None:
    """Other requests are answered meanwhile; the removal closes the hanging connection."""
    cluster.faults.set(Fault(effect="hang", path="/apis"))
    with pytest.raises(requests.ReadTimeout):
        ask(cluster, "/apis", timeout=0.1)
    assert ask(cluster).status_code == 200
    cluster.faults.clear()
    assert eventually(lambda: cluster.request_log.statuses(path="/apis") == {None: 1}, timeout=5)


def test_a_restarted_server_has_the_same_port_and_workflows(cluster: ClusterStandIn) -> None:
    """While it is stopped, clients cannot connect."""
    cluster.seed("thoth-backend", 3)
    cluster.stop()
    with pytest.raises(requests.ConnectionError):
        ask(cluster)
    cluster.start()
    assert len(ask(cluster, WORKFLOWS).json()["items"]) == 3


def test_a_stop_does_not_wait_for_hanging_requests(cluster: ClusterStandIn) -> None:
    """The server cancels them and stops within 3 seconds."""
    cluster.faults.set(Fault(effect="hang"))
    with pytest.raises(requests.ReadTimeout):
        ask(cluster, timeout=0.1)
    started = time.monotonic()
    cluster.stop()
    assert time.monotonic() - started < 3


@pytest.mark.parametrize("effect", ["answer", "disguise"])
def test_an_answer_must_be_recorded(effect: Effect) -> None:
    """A fault with a misspelled answer would silently inject nothing."""
    with pytest.raises(ValueError, match="no answer 'leader chanched' is recorded"):
        Fault(effect=effect, answer="leader chanched")
    with pytest.raises(ValueError, match="no answer '' is recorded"):
        Fault(effect=effect)


def test_warnings_combine_with_another_fault() -> None:
    """An API warns about what it refuses, too."""
    faults = Faults()
    faults.set(Fault(effect="warning", text="odd"), Fault(effect="status"), Fault(effect="reset"))
    assert [fault.effect for fault in faults.pick("GET", "/", "")] == ["warning", "status"]
