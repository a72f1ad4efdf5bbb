# SPDX-License-Identifier: GPL-3.0-or-later
"""Fixtures that tests of several packages use: the pieces of the sandbox."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from kubernetes.config import kube_config

from sandbox.cluster import ClusterStandIn


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[ClusterStandIn]:
    """An empty cluster stand-in of the test's own; its KUBECONFIG file is `tmp_path / "kubeconfig"`."""
    with ClusterStandIn() as stand_in:
        stand_in.write_kubeconfig(tmp_path / "kubeconfig")
        yield stand_in


@pytest.fixture
def cluster_environment(cluster: ClusterStandIn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """The environment variables by which thoth-common finds the stand-in; they are set in this process."""
    environment = {"KUBECONFIG": str(tmp_path / "kubeconfig"), **cluster.environment("test")}
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    # The Kubernetes client reads KUBECONFIG when it is imported, which may have been long ago.
    monkeypatch.setattr(kube_config, "KUBE_CONFIG_DEFAULT_LOCATION", environment["KUBECONFIG"])
    # The OpenShift client caches what it discovers in the folder for temporary files, by URL.
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return environment
