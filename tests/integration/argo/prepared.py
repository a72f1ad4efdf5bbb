# SPDX-License-Identifier: GPL-3.0-or-later
"""Workflows that the client of the cluster prepares from the stand-in's templates."""

from investigator.argo.client import ClusterClient, PreparedWorkflow
from investigator.argo.kinds import WORKFLOW_KINDS, WorkflowKind
from investigator.argo.labels import TraceMetadata
from tests.support.cluster_clients import ARGUMENTS

NO_TRACE = TraceMetadata({}, {})


def prepare(
    client: ClusterClient, kind: WorkflowKind = "solver", job_id: str = "solver-rhel-8-py38-210601000000-cafe"
) -> PreparedWorkflow:
    """Prepare a workflow of that kind."""
    return client.prepare(WORKFLOW_KINDS[kind].method, {**ARGUMENTS[kind], "job_id": job_id})
