# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the cluster is, and the token of this moment."""

import ssl
from pathlib import Path

import pytest
from requests.utils import DEFAULT_CA_BUNDLE_PATH

from investigator.argo.credentials import ClusterConfigError, Credentials
from sandbox.kubeconfig import write_kubeconfig


@pytest.fixture
def pod(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """The inside of a pod: variables, and a token file whose path is given."""
    monkeypatch.setenv("KUBERNETES_SERVICE_HOST", "172.30.0.1")
    monkeypatch.setenv("KUBERNETES_SERVICE_PORT", "443")
    token = tmp_path / "token"
    token.write_text("first\n", "utf-8")
    return token


def login_in(pod: Path, *, verify_tls: bool = True) -> Credentials:
    """Log in as the pod's service account."""
    return Credentials(token_file=str(pod), ca_file=DEFAULT_CA_BUNDLE_PATH, verify_tls=verify_tls)


def test_a_service_account_comes_first(pod: Path, tmp_path: Path) -> None:
    """Inside a pod its own account is used, whatever KUBECONFIG says."""
    write_kubeconfig(tmp_path / "config", "http://elsewhere.example.com", "other")
    credentials = Credentials(kubeconfig=str(tmp_path / "config"), token_file=str(pod), ca_file=DEFAULT_CA_BUNDLE_PATH)
    assert (credentials.in_cluster, credentials.host, credentials.token()) == (True, "https://172.30.0.1:443", "first")


def test_a_rotated_token_of_a_service_account_is_used_at_once(pod: Path) -> None:
    """Kubernetes writes a new token into the pod every hour or so, and refuses the old one after some time."""
    credentials = login_in(pod)
    assert credentials.token() == "first"
    pod.write_text("second", "utf-8")
    assert credentials.token() == "second"


def test_a_token_is_read_anew_when_it_was_refused(pod: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Even if the file looks unchanged."""
    credentials = login_in(pod)
    monkeypatch.setattr("investigator.argo.credentials._file_version", lambda _: (1, 2, 3))
    credentials.token()
    pod.write_text("other", "utf-8")
    assert credentials.token() == "first"
    credentials.refresh()
    assert credentials.token() == "other"


def test_kubeconfig_is_used_outside_of_a_cluster(tmp_path: Path) -> None:
    """With its token, and with a new one as soon as it is written there."""
    write_kubeconfig(tmp_path / "config", "http://127.0.0.1:8001/", "first")
    credentials = Credentials(kubeconfig=str(tmp_path / "config"), token_file="/nowhere", ca_file="/nowhere")
    assert (credentials.in_cluster, credentials.host, credentials.token()) == (False, "http://127.0.0.1:8001", "first")
    write_kubeconfig(tmp_path / "config", "http://127.0.0.1:8001/", "second")
    assert credentials.token() == "second"


def test_a_half_written_kubeconfig_is_an_error_of_that_moment(tmp_path: Path) -> None:
    """The next call reads it again."""
    path = tmp_path / "config"
    write_kubeconfig(path, "http://127.0.0.1:8001", "first")
    credentials = Credentials(kubeconfig=str(path), token_file="/nowhere", ca_file="/nowhere")
    path.write_text("clusters: [", "utf-8")
    with pytest.raises(ClusterConfigError):
        credentials.token()
    write_kubeconfig(path, "http://127.0.0.1:8001", "second")
    assert credentials.token() == "second"


def test_without_any_login_both_reasons_are_told(tmp_path: Path) -> None:
    """An operator sees at once what is missing."""
    with pytest.raises(ClusterConfigError, match=r"no service account .*KUBECONFIG"):
        Credentials(kubeconfig=str(tmp_path / "none"), token_file="/nowhere", ca_file="/nowhere")


def test_certificates_are_checked_unless_told_otherwise(pod: Path) -> None:
    """By default the API has to prove who it is, host name included."""
    checked, trusting = login_in(pod).tls, login_in(pod, verify_tls=False).tls
    assert (checked.verify_mode, checked.check_hostname) == (ssl.CERT_REQUIRED, True)
    assert (trusting.verify_mode, trusting.check_hostname) == (ssl.CERT_NONE, False)
