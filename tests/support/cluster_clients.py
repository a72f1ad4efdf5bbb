# SPDX-License-Identifier: GPL-3.0-or-later
"""Clients of the cluster stand-in."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from thoth.common import OpenShift

from investigator.argo.client import ClusterClient, ClusterPolicy, Namespaces
from investigator.argo.credentials import Credentials
from sandbox.cluster import ClusterStandIn
from tests.support.examples import workflow_arguments

#: Arguments for the `schedule_*` method of each kind of workflow, without the id; those of a new kind are derived.
ARGUMENTS: dict[str, dict[str, object]] = workflow_arguments() | {
    "adviser": {
        "recommendation_type": "latest",
        "source_type": "CLI",
        "origin": "https://github.com/thoth-station/s2i",
    },
    "provenance-checker": {"whitelisted_sources": ["https://pypi.org/simple"]},
    "kebechet": {"webhook_payload": {"repository": {"full_name": "thoth-station/common"}}},
    "kebechet-run-url": {
        "repo_url": "https://github.com/thoth-station/common",
        "service_name": "github",
        "kebechet_metadata": {"message_justification": 5},
    },
    "kebechet-administrator": {
        "message_info": {"PACKAGE_NAME": "flask", "PACKAGE_INDEX": "https://pypi.org/simple"},
        "message_type": "thoth.package-update.missing-package",
    },
    "thoth-repo-init": {"project_url": "https://github.com/thoth-station/common"},
    "solver": {"solver": "solver-rhel-8-py38", "packages": "flask===2.0.1", "transitive": False},
    "revsolver": {"package_name": "flask", "package_version": "2.0.1"},
    "security-indicator": {
        "python_package_name": "flask",
        "python_package_version": "2.0.1",
        "python_package_index": "https://pypi.org/simple",
        "aggregation_function": "process_data",
    },
    "package-extract": {"image": "quay.io/thoth-station/s2i-thoth-ubi8-py38", "environment_type": "runtime"},
    "build-analysis": {
        "base_image": "registry.access.redhat.com/ubi8/python-38",
        "base_image_analysis_id": "package-extract-210601000000-d15ea5e",
        "environment_type": "runtime",
    },
    "graph-sync": {"document_id": "inspection-test-210601000000-cafe", "force_sync": True},
}


def namespaces_of(stand_in: ClusterStandIn) -> Namespaces:
    """Return the namespaces of the stand-in."""
    names = stand_in.namespaces
    return Namespaces(infra=names.infra, middletier=names.middletier, backend=names.backend)


def cluster_client(stand_in: ClusterStandIn, folder: Path, policy: ClusterPolicy | None = None) -> ClusterClient:
    """Return a client with the credentials of a new KUBECONFIG file in ``folder``; the caller closes it.

    The default policy has a timeout of half a second.
    """
    credentials = Credentials(kubeconfig=str(stand_in.write_kubeconfig(folder / "client-kubeconfig")))
    return ClusterClient(credentials, policy or ClusterPolicy(connections=8, timeout=0.5), namespaces_of(stand_in))


@contextmanager
def upstream_client() -> Iterator[OpenShift]:
    """Yield thoth-common's own client of the cluster that the environment names; close its connections at the end."""
    client = OpenShift()
    try:
        yield client
    finally:
        for api_client in (client.ocp_client.client, client.workflow_manager.api.api_client):
            # clear() alone leaves a pool open as long as the client refers to its last response.
            pools = api_client.rest_client.pool_manager.pools
            for key in pools.keys():  # noqa: SIM118  urllib3's container can't be iterated
                pools[key].close()
