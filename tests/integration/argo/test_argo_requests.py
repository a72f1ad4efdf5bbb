# SPDX-License-Identifier: GPL-3.0-or-later
"""Requests of the client of the cluster: what it caches, timeouts, connections, tokens and counts."""

import copy
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest
import urllib3.exceptions

from investigator.argo.client import ClusterClient, ClusterPolicy, DeploymentError, TemplateError
from investigator.argo.http import ApiError
from sandbox.cluster import ClusterStandIn
from sandbox.faults import Fault
from tests.integration.argo.prepared import NO_TRACE, prepare
from tests.support.cluster_clients import ARGUMENTS, cluster_client


def test_templates_are_fetched_once(client: ClusterClient, cluster: ClusterStandIn) -> None:
    """Twenty concurrent workflows need one request for the template; each still has its own parameters."""
    names = [f"solver-rhel-8-py38-210601000000-{number:04x}" for number in range(20)]
    with ThreadPoolExecutor(8) as threads:
        prepared = list(threads.map(lambda name: prepare(client, job_id=name), names))
    assert [workflow.body["metadata"]["name"] for workflow in prepared] == names
    assert len(cluster.request_log.find("GET", "*/templates")) == 1


def test_templates_are_fetched_again_after_their_ttl(
    cluster: ClusterStandIn, client: ClusterClient, tmp_path: Path
) -> None:
    """A worker uses a changed template once the TTL of the policy is over."""
    del client
    with closing(cluster_client(cluster, tmp_path, ClusterPolicy(connections=1, template_ttl=0.0))) as uncached:
        prepare(uncached)
        prepare(uncached)
    assert len(cluster.request_log.find("GET", "*/templates")) == 2


def test_a_changed_template_is_fetched_again_when_the_cached_one_is_refused(
    client: ClusterClient, cluster: ClusterStandIn
) -> None:
    """A cached template that no longer works fails no message."""
    template = next(each for each in cluster.templates if each["metadata"]["labels"]["template"] == "solver")
    working = copy.deepcopy(template["parameters"])
    template["parameters"].append({"name": "NEWLY_REQUIRED", "required": True})
    with pytest.raises(ApiError, match="422"):
        prepare(client)
    template["parameters"][:] = working
    assert prepare(client).namespace == cluster.namespaces.middletier


def test_an_empty_parameter_is_refused_without_a_second_request(client: ClusterClient, cluster: ClusterStandIn) -> None:
    """The template has not changed, so the fault is the message's."""
    with pytest.raises(ApiError, match="THOTH_SOLVER_PACKAGES"):
        client.prepare("schedule_solver", {**ARGUMENTS["solver"], "packages": "", "job_id": "x-210601000000-cafe"})
    assert len(cluster.request_log.find("POST", "*/processedtemplates")) == 1


def test_a_missing_template_has_an_error_of_its_own(client: ClusterClient, cluster: ClusterStandIn) -> None:
    """It is a fault of the deployment, not of the message."""
    cluster.templates = [each for each in cluster.templates if each["metadata"]["labels"]["template"] != "solver"]
    with pytest.raises(TemplateError, match="0 templates with label template=solver in namespace thoth-infra"):
        prepare(client)


@pytest.mark.parametrize(("method", "path"), [("GET", "*/templates"), ("POST", "*/processedtemplates")])
def test_every_call_of_a_hanging_api_times_out(
    method: str, path: str, client: ClusterClient, cluster: ClusterStandIn
) -> None:
    """No thread waits for a response without a bound."""
    cluster.faults.set(Fault(effect="hang", method=method, path=path))
    began = time.monotonic()
    with pytest.raises(urllib3.exceptions.TimeoutError):
        prepare(client)
    assert time.monotonic() - began < 2


def test_connections_are_reused(client: ClusterClient, cluster: ClusterStandIn) -> None:
    """Twenty consecutive calls need one connection."""
    for number in range(10):
        client.create(prepare(client, job_id=f"solver-rhel-8-py38-210601000000-{number}"), NO_TRACE)
    with client._api._pools.lend(client._urls.credentials.tls) as pools:
        connections = pools.connection_from_url(cluster.url)
    assert (connections.num_connections, connections.num_requests) == (1, 21)


def test_a_rotated_token_is_used_at_once(client: ClusterClient, cluster: ClusterStandIn) -> None:
    """No call fails when the token changes in its file."""
    prepare(client)
    cluster.rotate_token("another")
    client.create(prepare(client), NO_TRACE)
    assert cluster.request_log.statuses()[401] == 0


def test_a_refused_token_is_read_again_and_the_request_repeated_once(
    client: ClusterClient, cluster: ClusterStandIn
) -> None:
    """A second 401 in a row reaches the caller."""
    cluster.faults.set(Fault(effect="status", status=401, count=1))
    prepare(client)
    cluster.rotate_token("unknown to the worker", rewrite=False)
    with pytest.raises(ApiError, match="401"):
        client.version()


def test_a_token_change_that_the_file_does_not_show_is_found_by_the_refusal(
    client: ClusterClient, cluster: ClusterStandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Size and times of the file may be unchanged."""
    monkeypatch.setattr("investigator.argo.file_cache.file_version", lambda _: None)
    client.version()
    cluster.rotate_token("another")
    client.version()
    assert cluster.request_log.statuses(path="/version") == {200: 2, 401: 1}


def test_solver_names_are_cached_without_blanks_and_duplicates(client: ClusterClient, cluster: ClusterStandIn) -> None:
    """Not every message causes a request for the names."""
    cluster.solvers = ["solver-rhel-8-py38", "", "  ", "solver-fedora-34-py39", "solver-rhel-8-py38"]
    assert client.get_solver_names() == ["solver-rhel-8-py38", "solver-fedora-34-py39"]
    assert client.get_solver_names() == ["solver-rhel-8-py38", "solver-fedora-34-py39"]
    assert len(cluster.request_log.find("GET", "*/configmaps/solvers")) == 1


def test_no_solvers_are_an_error(client: ClusterClient, cluster: ClusterStandIn) -> None:
    """An empty ConfigMap does not mean a solver without a name, and is not cached."""
    cluster.solvers = []
    with pytest.raises(DeploymentError, match="the ConfigMap solvers in namespace thoth-infra lists no solver"):
        client.get_solver_names()
    cluster.solvers = ["solver-rhel-8-py38"]
    assert client.get_solver_names() == ["solver-rhel-8-py38"]


def test_only_workflows_that_have_not_started_are_counted(client: ClusterClient, cluster: ClusterStandIn) -> None:
    """Pending ones and those without a phase count; the API does not even list running and finished ones."""
    namespace = cluster.namespaces.backend
    for phase, count in ((None, 3), ("Pending", 4), ("Running", 50), ("Succeeded", 500), ("Failed", 5), ("Error", 5)):
        cluster.seed(namespace, count, phase)  # type: ignore[arg-type]  # mypy takes the phases for any text
    assert client.count_pending(namespace, stop_above=100) == 7
    assert len(cluster.request_log.find("GET", "*/workflows")) == 1


def test_a_count_ends_after_the_page_that_exceeds_stop_above(
    cluster: ClusterStandIn, client: ClusterClient, tmp_path: Path
) -> None:
    """The cost of a count is bounded by the limit, however many workflows are pending."""
    del client
    cluster.seed(cluster.namespaces.backend, 95)
    with closing(cluster_client(cluster, tmp_path, ClusterPolicy(connections=1, page_size=10))) as paging:
        assert paging.count_pending(cluster.namespaces.backend, stop_above=1000) == 95
        assert len(cluster.request_log.find("GET", "*/workflows")) == 10
        cluster.request_log.clear()
        assert paging.count_pending(cluster.namespaces.backend, stop_above=25) == 30
    assert len(cluster.request_log.find("GET", "*/workflows")) == 3
