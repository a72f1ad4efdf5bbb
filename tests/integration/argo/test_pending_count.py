# SPDX-License-Identifier: GPL-3.0-or-later
"""Counting pending workflows, also with APIs that ignore the selector."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from investigator.argo.client import ClusterClient, ClusterPolicy
from investigator.argo.http import ApiError
from investigator.argo.pending_count import _has_started
from investigator.delivery.errors import TemporaryError
from sandbox.cluster import ClusterStandIn
from sandbox.faults import Fault
from sandbox.pod_store import PodPhase
from tests.support.cluster_clients import cluster_client

PHASE = "workflows.argoproj.io/phase"


@pytest.mark.parametrize(
    ("workflow", "started"),
    [
        ({}, False),
        ({"metadata": {"labels": None}, "status": None}, False),
        ({"metadata": {"labels": {PHASE: "Pending"}}}, False),
        ({"metadata": {"labels": {PHASE: "Running"}}}, True),
        ({"metadata": {"labels": {PHASE: "Error"}}, "status": {}}, True),
        ({"metadata": {"labels": {}}, "status": {"startedAt": "2021-06-01T00:00:00Z"}}, True),
        ({"metadata": {"labels": {}}, "status": {"startedAt": None}}, False),
    ],
)
def test_label_or_status_shows_that_a_workflow_has_started(workflow: dict[str, Any], started: bool) -> None:  # noqa: FBT001 - expected
    """An API that ignores the selector does not inflate the count."""
    assert _has_started(workflow) is started


@pytest.fixture
def client(cluster: ClusterStandIn, tmp_path: Path) -> Iterator[ClusterClient]:
    """A client that asks for ten objects at once."""
    with closing(cluster_client(cluster, tmp_path, ClusterPolicy(connections=1, timeout=0.5, page_size=10))) as client:
        yield client


def test_a_list_that_expired_between_its_pages_is_a_temporary_error(
    cluster: ClusterStandIn, client: ClusterClient
) -> None:
    """A 410 is no refusal of the message that waits for the count."""
    cluster.faults.set(Fault(effect="status", status=410, method="GET", path="*/workflows"))
    with pytest.raises(TemporaryError, match="410"):
        client.count_pending(cluster.namespaces.backend, stop_above=1)


def add_pods(cluster: ClusterStandIn, workflows: int, *phases: PodPhase, name: str = "running") -> None:
    """Add running workflows, each with a pod in each of the phases."""
    for number in range(workflows):
        for phase in phases:
            cluster.store.pods.add(cluster.namespaces.backend, f"{name}-{number:04d}", phase)


@pytest.mark.parametrize(
    ("phases", "is_pending"),
    [
        (["Pending"], True),
        (["Pending", "Pending"], True),
        (["Running"], False),
        (["Succeeded", "Pending"], False),
        (["Failed", "Pending"], False),
        (["Running", "Pending"], False),
        ([], False),
    ],
    ids=str,
)
def test_a_running_workflow_is_pending_until_one_of_its_pods_has_started(
    cluster: ClusterStandIn,
    client: ClusterClient,
    phases: list[PodPhase],
    is_pending: bool,  # noqa: FBT001 - expected
) -> None:
    """A later step that waits for its pod does not make a workflow pending again."""
    add_pods(cluster, 3, *phases)
    assert client.count_pending(cluster.namespaces.backend, stop_above=100) == (3 if is_pending else 0)


def test_workflows_and_pods_are_counted_together_and_once(cluster: ClusterStandIn, client: ClusterClient) -> None:
    """A workflow that starts between the two lists is in both; pods of many pages are all seen."""
    cluster.seed(cluster.namespaces.backend, 15)
    for workflow in cluster.store.select(cluster.namespaces.backend)[:5]:
        cluster.store.pods.add(cluster.namespaces.backend, workflow.record.name)
    add_pods(cluster, 95, "Pending", name="waiting")
    add_pods(cluster, 40, "Succeeded", "Running", "Pending", name="started")
    assert client.count_pending(cluster.namespaces.backend, stop_above=1000) == 15 + 95


def test_a_count_of_pods_ends_soon_after_the_limit(cluster: ClusterStandIn, client: ClusterClient) -> None:
    """The cost is bounded by the limit, however many pods wait or have ended."""
    add_pods(cluster, 3000, "Succeeded", name="ended")
    add_pods(cluster, 3000, "Pending", name="waiting")
    assert client.count_pending(cluster.namespaces.backend, stop_above=25) == 30
    assert len(cluster.request_log.find("GET", "*/pods")) == 6
    assert max(len(call.query) for call in cluster.request_log.find("GET", "*/pods")) < 8000


def test_the_setting_counts_by_phase_alone(cluster: ClusterStandIn, tmp_path: Path) -> None:
    """No pods are listed."""
    add_pods(cluster, 3, "Pending")
    policy = ClusterPolicy(connections=1, counts_unstarted_pods=False)
    with closing(cluster_client(cluster, tmp_path, policy)) as client:
        assert client.count_pending(cluster.namespaces.backend, stop_above=100) == 0
    assert cluster.request_log.find("GET", "*/pods") == []


@pytest.mark.parametrize("status", [403, 404])
def test_without_the_permission_to_list_pods_workflows_are_counted_by_phase(
    cluster: ClusterStandIn, client: ClusterClient, status: int, caplog: pytest.LogCaptureFixture
) -> None:
    """A role of an earlier version stops nothing. A refusal for a moment, as of an API that starts, is no answer."""
    cluster.seed(cluster.namespaces.backend, 4)
    add_pods(cluster, 3, "Pending")
    cluster.faults.set(Fault(effect="status", status=status, path="*/pods"))
    for _ in range(2):
        with pytest.raises(ApiError, match=str(status)):
            client.count_pending(cluster.namespaces.backend, stop_above=100)
    assert [client.count_pending(cluster.namespaces.backend, stop_above=100) for _ in range(3)] == [4, 4, 4]
    assert len([record for record in caplog.records if "may not list pods" in record.getMessage()]) == 1
    cluster.faults.clear()
    assert client.count_pending(cluster.namespaces.backend, stop_above=100) == 7


@pytest.mark.parametrize("path", ["*/workflows", "*/pods"])
@pytest.mark.parametrize("status", [500, 503])
def test_a_list_that_fails_fails_the_count(
    cluster: ClusterStandIn, client: ClusterClient, path: str, status: int
) -> None:
    """A count without the one or the other would allow too many workflows."""
    cluster.faults.set(Fault(effect="status", status=status, path=path))
    for _ in range(4):
        with pytest.raises(ApiError, match=str(status)):
            client.count_pending(cluster.namespaces.backend, stop_above=100)


@pytest.mark.parametrize("answer", [{"kind": "Status", "status": "Failure"}, {}, {"message": "welcome"}])
def test_an_answer_that_is_no_list_is_not_an_empty_one(
    client: ClusterClient, cluster: ClusterStandIn, answer: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A status of 200 alone does not mean that nothing is pending."""
    monkeypatch.setattr(client._api, "get", lambda *_, **__: answer)
    with pytest.raises(TemporaryError, match="not a list"):
        client.count_pending(cluster.namespaces.backend, stop_above=100)
