# SPDX-License-Identifier: GPL-3.0-or-later
"""Workflows that the client of the cluster creates, over HTTP to the stand-in."""

import copy
import logging
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from thoth.common import OpenShift

from investigator.argo.client import ClusterClient
from investigator.argo.http import ApiError
from investigator.argo.kinds import WORKFLOW_KINDS, WorkflowKind
from investigator.argo.labels import trace_metadata
from investigator.argo.workflow_creation import CreateResult
from investigator.delivery.origin import Origin
from sandbox.cluster import ClusterStandIn
from sandbox.faults import Fault
from tests.integration.argo.prepared import NO_TRACE, prepare
from tests.support.cluster_clients import ARGUMENTS, upstream_client

ORIGIN = Origin("test.thoth.package-release.package-released", 3, 41_317, 1_622_505_600_000)
TRACE = trace_metadata("thoth.package-release.package-released", ORIGIN, "re-run of /odd: id")


@pytest.mark.parametrize("kind", WORKFLOW_KINDS)
def test_a_workflow_is_the_one_that_thoth_common_would_create(
    kind: WorkflowKind, client: ClusterClient, cluster: ClusterStandIn
) -> None:
    """The client changes nothing of namespace, name, labels and arguments."""
    client.create(prepare(client, kind, "ours-210601000000-cafe"), NO_TRACE)
    with upstream_client() as upstream:
        getattr(upstream, WORKFLOW_KINDS[kind].method)(**ARGUMENTS[kind], job_id="ours-210601000000-beef")
    ours, theirs = cluster.created
    assert ours.name == theirs.name.replace("beef", "cafe")
    assert (ours.namespace, ours.kind, ours.labels) == (theirs.namespace, theirs.kind, theirs.labels)
    assert ours.parameters == {name: str(value).replace("beef", "cafe") for name, value in theirs.parameters.items()}


def test_a_workflow_that_exists_is_no_error(client: ClusterClient, cluster: ClusterStandIn) -> None:
    """The result distinguishes it from a workflow that was created just now."""
    assert client.create(prepare(client), TRACE) is CreateResult.CREATED
    assert client.create(prepare(client), TRACE) is CreateResult.EXISTED
    assert len(cluster.created) == 1


def test_a_conflict_at_a_quota_does_not_count_as_an_existing_workflow(
    client: ClusterClient, cluster: ClusterStandIn
) -> None:
    """A 409 with another reason means that nothing was created."""
    cluster.faults.set(Fault(effect="status", method="POST", path="*/workflows", status=409, count=1))
    with pytest.raises(ApiError, match="409"):
        client.create(prepare(client), NO_TRACE)
    assert client.create(prepare(client), NO_TRACE) is CreateResult.CREATED


def test_annotations_and_labels_identify_the_message(client: ClusterClient, cluster: ClusterStandIn) -> None:
    """Annotations have every fact; labels, for selection, those whose values Kubernetes allows."""
    client.create(prepare(client), TRACE)
    created = cluster.created[0]
    ours = {name.split("/")[1]: value for name, value in created.annotations.items() if "investigator" in name}
    assert ours == {
        "message-type": "thoth.package-release.package-released",
        "topic": ORIGIN.topic,
        "partition": "3",
        "offset": "41317",
        "timestamp": "1622505600000",
        "correlation-id": "re-run of /odd: id",
    }
    assert created.labels["investigator.thoth-station.ninja/offset"] == "41317"
    assert created.labels["component"] == "solver"
    assert "investigator.thoth-station.ninja/correlation-id" not in created.labels


def test_passwords_are_not_logged(
    client: ClusterClient, cluster: ClusterStandIn, caplog: pytest.LogCaptureFixture
) -> None:
    """Not even with all libraries at DEBUG, an undeclared parameter and a refusal."""
    caplog.set_level(logging.DEBUG)
    template = next(each for each in cluster.templates if each["metadata"]["labels"]["template"] == "package-extract")
    template["parameters"] = [each for each in template["parameters"] if each["name"] != "THOTH_REGISTRY_CREDENTIALS"]
    arguments = {**ARGUMENTS["package-extract"], "registry_user": "me", "registry_password": "s3cr3t-passw0rd"}
    client.create(client.prepare("schedule_package_extract", {**arguments, "job_id": "x-210601000000-cafe"}), NO_TRACE)
    with pytest.raises(ApiError):
        client.prepare("schedule_package_extract", {**arguments, "image": "", "job_id": "x-210601000000-cafe"})
    assert "THOTH_REGISTRY_CREDENTIALS" in caplog.text
    assert "s3cr3t-passw0rd" not in caplog.text


values = st.one_of(st.none(), st.integers(), st.booleans(), st.text(max_size=5))
names = st.sampled_from(["A", "B", "C"])


@given(st.lists(names, unique=True), st.dictionaries(names, values))
def test_parameters_are_set_as_thoth_common_sets_them(declared: list[str], parameters: dict[str, Any]) -> None:
    """The client differs from the library only in its log."""
    template = {"metadata": {"name": "t"}, "parameters": [{"name": name, "required": True} for name in declared]}
    theirs = copy.deepcopy(template)
    OpenShift.set_template_parameters(theirs, **parameters)
    ClusterClient.set_template_parameters(template, **parameters)
    assert template == theirs
