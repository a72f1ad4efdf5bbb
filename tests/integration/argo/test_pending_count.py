# SPDX-License-Identifier: GPL-3.0-or-later
"""Counting pending workflows, also with APIs that ignore the selector."""

from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from investigator.argo.pending_count import _has_started
from investigator.delivery.errors import TemporaryError
from sandbox.cluster import ClusterStandIn
from sandbox.faults import Fault
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


def test_a_list_that_expired_between_its_pages_is_a_temporary_error(cluster: ClusterStandIn, tmp_path: Path) -> None:
    """A 410 is no refusal of the message that waits for the count."""
    cluster.faults.set(Fault(effect="status", status=410, method="GET", path="*/workflows"))
    with closing(cluster_client(cluster, tmp_path)) as client, pytest.raises(TemporaryError, match="410"):
        client.count_pending(cluster.namespaces.backend, stop_above=1)
