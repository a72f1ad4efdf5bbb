# SPDX-License-Identifier: GPL-3.0-or-later
"""The cluster stand-in, as seen by thoth-common, the client library that investigator uses."""

from collections.abc import Callable, Iterator

import pytest
import requests
from argo.workflows.client.rest import ApiException
from openshift.dynamic.exceptions import UnauthorizedError
from thoth.common import OpenShift

from sandbox.cluster import ClusterStandIn
from sandbox.faults import Fault
from tests.support.cluster_clients import upstream_client

SOLVER = "solver-rhel-8-py38"
Schedule = Callable[[OpenShift, str], object]


@pytest.fixture
def openshift(cluster_environment: dict[str, str]) -> Iterator[OpenShift]:
    """thoth-common's client, configured by environment variables as in investigator."""
    assert cluster_environment
    with upstream_client() as client:
        yield client


def administer(openshift: OpenShift, job_id: str) -> object:
    """Schedule a kebechet-administrator workflow for a package version."""
    info = {"PACKAGE_NAME": "flask", "PACKAGE_VERSION": "2.0.1", "PACKAGE_INDEX": "https://pypi.org/simple"}
    return openshift.schedule_kebechet_administrator(info, "thoth.cve-update.cve-provided", job_id=job_id)


def solve(openshift: OpenShift, job_id: str) -> object:
    """Schedule a solver workflow for a package version."""
    return openshift.schedule_solver("flask===2.0.1", SOLVER, transitive=False, job_id=job_id)


SCHEDULE: dict[str, tuple[str, Schedule]] = {
    "adviser": ("thoth-backend", lambda ocp, job_id: ocp.schedule_adviser("latest", job_id=job_id)),
    "provenance-checker": ("thoth-backend", lambda ocp, job_id: ocp.schedule_provenance_checker(job_id=job_id)),
    "kebechet": ("thoth-backend", lambda ocp, job_id: ocp.schedule_kebechet_workflow({"a": 1}, job_id=job_id)),
    "kebechet-run-url": (
        "thoth-backend",
        lambda ocp, job_id: ocp.schedule_kebechet_run_url_workflow("https://github.com/thoth-station/s", job_id=job_id),
    ),
    "kebechet-administrator": ("thoth-backend", administer),
    "thoth-repo-init": (
        "thoth-backend",
        lambda ocp, job_id: ocp.schedule_thoth_repo_init("https://github.com/thoth-station/s", job_id=job_id),
    ),
    "solver": ("thoth-middletier", solve),
    "revsolver": ("thoth-middletier", lambda ocp, job_id: ocp.schedule_revsolver("flask", "2.0.1", job_id=job_id)),
    "security-indicator": (
        "thoth-middletier",
        lambda ocp, job_id: ocp.schedule_security_indicator(
            "flask", "2.0.1", "https://pypi.org/simple", "process_data", job_id=job_id
        ),
    ),
    "package-extract": (
        "thoth-middletier",
        lambda ocp, job_id: ocp.schedule_package_extract("quay.io/a/b", environment_type="runtime", job_id=job_id),
    ),
    "build-analysis": (
        "thoth-middletier",
        lambda ocp, job_id: ocp.schedule_build_analysis(output_image="quay.io/a/b", job_id=job_id),
    ),
    "graph-sync": ("thoth-middletier", lambda ocp, job_id: ocp.schedule_graph_sync("inspection-1", job_id=job_id)),
}


@pytest.mark.parametrize("kind", SCHEDULE)
def test_thoth_common_schedules_every_kind_of_workflow(
    openshift: OpenShift, cluster: ClusterStandIn, kind: str
) -> None:
    """Each kind has a template, and its workflow is created in the kind's namespace."""
    namespace, schedule = SCHEDULE[kind]
    name = f"{kind}-261122103000-00000000000000ab"
    assert schedule(openshift, name) == name
    assert [(made.kind, made.name, made.namespace) for made in cluster.created] == [(kind, name, namespace)]


def test_the_record_of_a_workflow_shows_its_parameters(openshift: OpenShift, cluster: ClusterStandIn) -> None:
    """The record has the template's parameters and those that thoth-common adds."""
    solve(openshift, "solver-1")
    parameters = cluster.created[0].parameters
    assert parameters["THOTH_SOLVER_PACKAGES"] == "flask===2.0.1"
    assert parameters["THOTH_SOLVER_NO_TRANSITIVE"] == "1"
    assert parameters["deployment_name"] == "test"


def test_an_existing_name_is_refused_with_409(openshift: OpenShift, cluster: ClusterStandIn) -> None:
    """The reason is AlreadyExists, also after the first workflow has finished."""
    solve(openshift, "solver-1")
    cluster.set_phase("thoth-middletier", "solver-1", "Succeeded")
    with pytest.raises(ApiException) as refused:
        solve(openshift, "solver-1")
    assert refused.value.status == 409
    assert '"AlreadyExists"' in refused.value.body


def test_a_deleted_workflow_frees_its_name(openshift: OpenShift, cluster: ClusterStandIn) -> None:
    """The record contains both workflows."""
    solve(openshift, "solver-1")
    cluster.delete("thoth-middletier", "solver-1")
    solve(openshift, "solver-1")
    assert [made.name for made in cluster.created] == ["solver-1", "solver-1"]


def test_names_are_unique_only_within_a_namespace(openshift: OpenShift, cluster: ClusterStandIn) -> None:
    """Two namespaces may each have a workflow with the same name."""
    solve(openshift, "one")
    administer(openshift, "one")
    assert {made.namespace for made in cluster.created} == {"thoth-backend", "thoth-middletier"}


def test_an_empty_required_parameter_is_refused_with_422(openshift: OpenShift, cluster: ClusterStandIn) -> None:
    """The reply to the processed template names the parameter, and no workflow is created."""
    with pytest.raises(requests.HTTPError) as refused:
        openshift.schedule_solver("", SOLVER, job_id="solver-1")
    assert refused.value.response is not None
    assert refused.value.response.status_code == 422
    assert "THOTH_SOLVER_PACKAGES is required" in refused.value.response.json()["message"]
    assert not cluster.created


@pytest.mark.parametrize("name", ["Capital", "under_score", "-dash", "dash-", "a..b", "a" * 254, "space d"])
def test_an_invalid_name_is_refused_with_422(openshift: OpenShift, name: str) -> None:
    """A valid name is a DNS subdomain of at most 253 characters."""
    with pytest.raises(ApiException) as refused:
        solve(openshift, name)
    assert refused.value.status == 422


def test_an_unknown_namespace_is_refused_with_404(openshift: OpenShift) -> None:
    """The stand-in creates no namespaces."""
    openshift.middletier_namespace = "nowhere"
    with pytest.raises(ApiException) as refused:
        solve(openshift, "solver-1")
    assert refused.value.status == 404


def test_after_a_rotation_only_the_new_token_is_accepted(openshift: OpenShift, cluster: ClusterStandIn) -> None:
    """The old token gets 401; a client that reads KUBECONFIG again succeeds."""
    cluster.rotate_token("another")
    with pytest.raises(UnauthorizedError):
        openshift.get_solver_names()
    with upstream_client() as restarted:
        assert restarted.get_solver_names() == cluster.solvers


def test_only_workflows_that_have_not_started_lack_startedat(openshift: OpenShift, cluster: ClusterStandIn) -> None:
    """thoth-common counts those as pending: workflows that Argo has not seen, and those in phase Pending."""
    for count, phase in enumerate((None, "Pending", "Running", "Succeeded", "Failed", "Error"), start=1):
        cluster.seed("thoth-backend", count, phase)  # type: ignore[arg-type] # a tuple of literals is one of str
    assert openshift.workflow_manager.get_pending_workflows("thoth-backend") == 1 + 2


@pytest.mark.parametrize(
    ("selector", "found"),
    [
        ("", 6),
        ("workflows.argoproj.io/phase in (Pending,Running)", 2 + 1),
        ("workflows.argoproj.io/phase=Succeeded", 3),
        ("workflows.argoproj.io/phase!=Succeeded", 3),
        ("workflows.argoproj.io/phase notin (Running, Succeeded)", 2),
        ("!workflows.argoproj.io/phase", 0),
        ("workflows.argoproj.io/phase", 6),
        ("workflows.argoproj.io/phase notin (Succeeded),app=thoth", 3),
        ("app=other", 0),
        ("workflows.argoproj.io/completed=true", 3),
    ],
)
def test_label_selectors_select_as_in_kubernetes(
    openshift: OpenShift, cluster: ClusterStandIn, selector: str, found: int
) -> None:
    """Equality, set and existence requirements are supported, also in combination."""
    cluster.seed("thoth-backend", 2, "Pending")
    cluster.seed("thoth-backend", 1, "Running")
    cluster.seed("thoth-backend", 3, "Succeeded")
    workflows = openshift.workflow_manager.get_workflows("thoth-backend", label_selector=selector)
    assert len(workflows["items"]) == found


def list_page(cluster: ClusterStandIn, **query: str | int) -> requests.Response:
    """Return the reply with one page of the workflows in the backend namespace."""
    url = f"{cluster.url}/apis/argoproj.io/v1alpha1/namespaces/thoth-backend/workflows"
    return requests.get(url, params=query, headers={"Authorization": f"Bearer {cluster.token}"}, timeout=10)


def test_a_paginated_list_contains_every_workflow_once(cluster: ClusterStandIn) -> None:
    """Workflows that change their phase between two pages are neither lost nor repeated."""
    cluster.seed("thoth-backend", 5, "Pending")
    names: list[str] = []
    token: str | None = ""
    while token is not None:
        page = list_page(cluster, limit=2, labelSelector="workflows.argoproj.io/phase=Pending", **{"continue": token})
        names += [item["metadata"]["name"] for item in page.json()["items"]]
        cluster.set_phase("thoth-backend", names[-1], "Running")
        token = page.json()["metadata"].get("continue")
    assert len(names) == len(set(names)) == 5


def test_an_unknown_continue_token_is_refused_with_410(cluster: ClusterStandIn) -> None:
    """Kubernetes answers so after the token has expired."""
    assert list_page(cluster, limit=1, **{"continue": "page-999"}).status_code == 410


@pytest.mark.parametrize("selector", ["a in b", "=x", "a in (b", "a==b==c"])
def test_a_malformed_selector_is_refused_with_400(cluster: ClusterStandIn, selector: str) -> None:
    """An empty list would hide the client's error."""
    assert list_page(cluster, labelSelector=selector).status_code == 400


def test_with_a_lost_reply_the_workflow_is_created(openshift: OpenShift, cluster: ClusterStandIn) -> None:
    """The client sees a connection error, and the log of requests has no status."""
    cluster.faults.set(Fault(effect="lost", method="POST", path="*/workflows", count=1))
    with pytest.raises(Exception, match="Connection") as broken:
        solve(openshift, "solver-1")
    assert not isinstance(broken.value, ApiException)
    assert [made.name for made in cluster.created] == ["solver-1"]
    assert cluster.request_log.statuses("POST", "*/workflows") == {None: 1}


def test_a_status_fault_applies_only_to_matching_requests(openshift: OpenShift, cluster: ClusterStandIn) -> None:
    """Namespace, body and count restrict it; a refused request creates no workflow."""
    cluster.faults.set(
        Fault(effect="status", status=503, method="POST", namespace="thoth-middletier", body='"unlucky"', count=1)
    )
    solve(openshift, "lucky")
    with pytest.raises(ApiException) as refused:
        solve(openshift, "unlucky")
    assert refused.value.status == 503
    solve(openshift, "unlucky")
    assert [made.name for made in cluster.created] == ["lucky", "unlucky"]


def test_the_control_routes_seed_inject_faults_and_reset(cluster: ClusterStandIn) -> None:
    """They let another process control the stand-in over HTTP, without a token."""
    control = f"{cluster.url}/_sandbox"
    seed = {"namespace": "thoth-backend", "count": 1000, "phase": "Pending"}
    assert requests.post(f"{control}/seed", json=seed, timeout=10).json()["thoth-backend"] == {"Pending": 1000}
    fault = {"effect": "status", "status": 429, "retry_after": 7}
    assert requests.put(f"{control}/faults", json=[fault], timeout=10).status_code == 200
    assert list_page(cluster).headers["Retry-After"] == "7"
    assert requests.get(f"{control}/requests", timeout=10).json()[0]["status"] == 429
    requests.post(f"{control}/reset", timeout=10)
    assert requests.get(f"{control}/state", timeout=10).json()["workflows"]["thoth-backend"] == {}
    assert requests.get(f"{control}/faults", timeout=10).json() == []
