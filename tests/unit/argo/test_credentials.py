# SPDX-License-Identifier: GPL-3.0-or-later
"""The URL of the cluster, the current token, and the TLS settings."""

import ssl
from pathlib import Path

import pytest
from requests.utils import DEFAULT_CA_BUNDLE_PATH

from investigator.argo.credentials import ClusterConfigError, Credentials
from sandbox.kubeconfig import write_kubeconfig


@pytest.fixture
def pod(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """The environment of a pod; the path of its token file."""
    monkeypatch.setenv("KUBERNETES_SERVICE_HOST", "172.30.0.1")
    monkeypatch.setenv("KUBERNETES_SERVICE_PORT", "443")
    token = tmp_path / "token"
    token.write_text("first\n", "utf-8")
    return token


def pod_credentials(pod: Path, *, verify_tls: bool = True) -> Credentials:
    """Return the credentials of the pod's service account."""
    return Credentials(token_file=str(pod), ca_file=DEFAULT_CA_BUNDLE_PATH, verify_tls=verify_tls)


def test_a_service_account_precedes_kubeconfig(pod: Path, tmp_path: Path) -> None:
    """Inside of a pod the worker uses its service account, whatever KUBECONFIG says."""
    write_kubeconfig(tmp_path / "config", "http://elsewhere.example.com", "other")
    credentials = Credentials(kubeconfig=str(tmp_path / "config"), token_file=str(pod), ca_file=DEFAULT_CA_BUNDLE_PATH)
    assert (credentials.in_cluster, credentials.host, credentials.token()) == (True, "https://172.30.0.1:443", "first")


def test_a_rotated_token_of_a_service_account_is_used_at_once(pod: Path) -> None:
    """Kubernetes writes a new token into the pod about once an hour, and refuses the old one some time later."""
    credentials = pod_credentials(pod)
    assert credentials.token() == "first"
    pod.write_text("second", "utf-8")
    assert credentials.token() == "second"


def test_a_refused_token_is_read_again(pod: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Even if size and times of the file are unchanged."""
    credentials = pod_credentials(pod)
    monkeypatch.setattr("investigator.argo.file_cache.file_version", lambda _: (1, 2, 3))
    credentials.token()
    pod.write_text("other", "utf-8")
    assert credentials.token() == "first"
    credentials.refresh()
    assert credentials.token() == "other"


def test_kubeconfig_is_used_outside_of_a_cluster(tmp_path: Path) -> None:
    """With its token; a new token in the file is used at once."""
    write_kubeconfig(tmp_path / "config", "http://127.0.0.1:8001/", "first")
    credentials = Credentials(kubeconfig=str(tmp_path / "config"), token_file="/nowhere", ca_file="/nowhere")
    assert (credentials.in_cluster, credentials.host, credentials.token()) == (False, "http://127.0.0.1:8001", "first")
    write_kubeconfig(tmp_path / "config", "http://127.0.0.1:8001/", "second")
    assert credentials.token() == "second"


def test_an_incomplete_kubeconfig_is_read_again_at_the_next_call(tmp_path: Path) -> None:
    """Another program may be writing the file."""
    path = tmp_path / "config"
    write_kubeconfig(path, "http://127.0.0.1:8001", "first")
    credentials = Credentials(kubeconfig=str(path), token_file="/nowhere", ca_file="/nowhere")
    path.write_text("clusters: [", "utf-8")
    with pytest.raises(ClusterConfigError):
        credentials.token()
    write_kubeconfig(path, "http://127.0.0.1:8001", "second")
    assert credentials.token() == "second"


def test_the_error_without_credentials_has_both_reasons(tmp_path: Path) -> None:
    """An operator sees at once what is missing."""
    with pytest.raises(ClusterConfigError, match=r"no service account .*KUBECONFIG"):
        Credentials(kubeconfig=str(tmp_path / "none"), token_file="/nowhere", ca_file="/nowhere")


def test_certificates_are_verified_by_default(pod: Path) -> None:
    """The host name as well; only a setting switches it off."""
    verified, unverified = pod_credentials(pod).tls, pod_credentials(pod, verify_tls=False).tls
    assert (verified.verify_mode, verified.check_hostname) == (ssl.CERT_REQUIRED, True)
    assert (unverified.verify_mode, unverified.check_hostname) == (ssl.CERT_NONE, False)
