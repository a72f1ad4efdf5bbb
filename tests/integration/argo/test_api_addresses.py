# SPDX-License-Identifier: GPL-3.0-or-later
"""Which server gets which request, and what is logged about its warnings."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from investigator.argo.client import ClusterClient, ClusterPolicy
from investigator.argo.credentials import Credentials
from investigator.argo.labels import TraceMetadata
from investigator.argo.permissions import Permission
from sandbox.cluster import ClusterStandIn
from sandbox.faults import Fault
from tests.support.cluster_clients import ARGUMENTS, namespaces_of

JOB_ID = "solver-rhel-8-py38-210601000000-cafe"
NO_TRACE = TraceMetadata({}, {})


@pytest.fixture
def openshift() -> Iterator[ClusterStandIn]:
    """The server that has the templates."""
    with ClusterStandIn() as server:
        yield server


@pytest.fixture
def client(
    cluster: ClusterStandIn, openshift: ClusterStandIn, cluster_environment: dict[str, str], tmp_path: Path
) -> Iterator[ClusterClient]:
    """A client of two servers, as KUBERNETES_API_URL and OPENSHIFT_API_URL set it up."""
    del cluster_environment  # thoth-common reads it
    cluster.templates = []
    credentials = Credentials(kubeconfig=str(tmp_path / "kubeconfig"))
    urls = {"api": cluster.url, "template_api": f"{openshift.url}/"}
    policy = ClusterPolicy(connections=2, timeout=1.0)
    with closing(ClusterClient(credentials, policy, namespaces_of(cluster), **urls)) as client:
        yield client


def test_templates_are_listed_and_processed_at_the_openshift_api(
    client: ClusterClient, cluster: ClusterStandIn, openshift: ClusterStandIn
) -> None:
    """Workflows and the ConfigMap of solvers are at the other one."""
    client.get_solver_names()
    client.create(client.prepare("schedule_solver", {**ARGUMENTS["solver"], "job_id": JOB_ID}), NO_TRACE)
    assert [call.path.rpartition("/")[2] for call in openshift.request_log.calls] == ["templates", "processedtemplates"]
    assert [call.path.rpartition("/")[2] for call in cluster.request_log.calls] == ["solvers", "workflows"]


def test_permissions_are_asked_where_they_are_used(
    client: ClusterClient, cluster: ClusterStandIn, openshift: ClusterStandIn
) -> None:
    """Each server has its own roles."""
    cluster.denied = {"list templates *"}
    openshift.denied = {"create workflows *"}
    needed = [
        Permission("thoth-infra", "template.openshift.io", "templates", "list"),
        Permission("thoth-backend", "argoproj.io", "workflows", "create"),
    ]
    assert client.missing_permissions(needed) == []


def test_a_warning_of_the_api_is_logged_once_for_each_template(
    client: ClusterClient, cluster: ClusterStandIn, caplog: pytest.LogCaptureFixture
) -> None:
    """It names the template, whose author can remove the cause."""
    cluster.faults.set(Fault(effect="warning", text=r"unknown field \"spec.foo\"", method="POST"))
    for number in range(3):
        arguments = {**ARGUMENTS["solver"], "job_id": f"{JOB_ID}-{number}"}
        client.create(client.prepare("schedule_solver", arguments), NO_TRACE)
    arguments = {**ARGUMENTS["adviser"], "job_id": "adviser-210601000000-cafe"}
    client.create(client.prepare("schedule_adviser", arguments), NO_TRACE)
    warnings = [record.args for record in caplog.records if "sent a warning" in record.getMessage()]
    text = 'unknown field "spec.foo"'
    assert warnings == [(f"template with label template={kind}", text) for kind in ("solver", "adviser")]
