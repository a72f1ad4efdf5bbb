# SPDX-License-Identifier: GPL-3.0-or-later
"""Certificates that are replaced in place are used without a restart."""

import base64
import ssl
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
import urllib3.exceptions
import yaml

from investigator.argo.client import ClusterClient, ClusterPolicy
from investigator.argo.credentials import Credentials
from sandbox.cluster import ClusterStandIn
from sandbox.kubeconfig import write_kubeconfig
from sandbox.tcp_proxy import TcpProxy
from tests.support.certificates import LOCAL, Authority, CertificateFiles
from tests.support.cluster_clients import namespaces_of


class TlsCluster:
    """A cluster behind TLS that asks for client certificates, and the worker's files."""

    def __init__(self, cluster: ClusterStandIn, folder: Path) -> None:
        self.cluster = cluster
        self._folder = folder
        self.proxy = TcpProxy(cluster.port)
        self.ca, self.certificate, self.key = (folder / name for name in ("ca.crt", "tls.crt", "tls.key"))

    def issue(self, name: str) -> tuple[Authority, CertificateFiles]:
        """Make a new authority, and a certificate of it for the client."""
        authority = Authority(self._folder, name)
        return authority, authority.sign(f"{name}-client", LOCAL)

    def use(self, authority: Authority) -> None:
        """Let the server use a certificate of the authority, and accept only its clients."""
        server = authority.sign("server", LOCAL)
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.load_cert_chain(server.certificate, server.key)
        tls.load_verify_locations(authority.certificate)
        tls.verify_mode = ssl.CERT_REQUIRED
        self.proxy.restart(tls)

    def write(self, authority: Authority, client: CertificateFiles) -> None:
        """Replace the worker's files."""
        self.ca.write_bytes(authority.certificate.read_bytes())
        self.certificate.write_bytes(client.certificate.read_bytes())
        self.key.write_bytes(client.key.read_bytes())

    def write_kubeconfig(self, *, inline: bool) -> Path:
        """Write a KUBECONFIG file that names the files, or contains them."""
        path = self._folder / "tls-kubeconfig"
        write_kubeconfig(path, self.cluster.url, self.cluster.token)
        content = yaml.safe_load(path.read_text("utf-8"))
        cluster, user = content["clusters"][0]["cluster"], content["users"][0]["user"]
        cluster["server"] = f"https://127.0.0.1:{self.proxy.port}"
        for holder, key, file in (
            (cluster, "certificate-authority", self.ca),
            (user, "client-certificate", self.certificate),
            (user, "client-key", self.key),
        ):
            data = {f"{key}-data": base64.b64encode(file.read_bytes()).decode()}
            holder.update(data if inline else {key: str(file)})
        path.write_text(yaml.safe_dump(content), "utf-8")
        return path


@pytest.fixture
def served(cluster: ClusterStandIn, tmp_path: Path) -> Iterator[TlsCluster]:
    """A cluster behind TLS with the first authority and the files of its client."""
    served = TlsCluster(cluster, tmp_path)
    authority, client = served.issue("first")
    served.use(authority)
    served.write(authority, client)
    yield served
    served.proxy.close()


def make_client(credentials: Credentials, cluster: ClusterStandIn) -> ClusterClient:
    """Return a client with a short timeout."""
    return ClusterClient(credentials, ClusterPolicy(connections=4, timeout=2.0), namespaces_of(cluster))


@pytest.mark.parametrize("inline", [False, True], ids=["files", "inline"])
def test_a_new_authority_and_client_certificate_are_used_at_once(*, served: TlsCluster, inline: bool) -> None:
    """Whether KUBECONFIG names the files or contains them; the server refuses the old ones from then on."""
    credentials = Credentials(kubeconfig=str(served.write_kubeconfig(inline=inline)), token_file="/nowhere")
    with closing(make_client(credentials, served.cluster)) as client:
        client.version()
        authority, certificate = served.issue("second")
        served.use(authority)
        with pytest.raises(urllib3.exceptions.HTTPError):
            client.version()
        served.write(authority, certificate)
        served.write_kubeconfig(inline=inline)
        client.version()
        assert credentials.tls is credentials.tls


def test_half_replaced_files_leave_the_last_ones_in_use(served: TlsCluster, caplog: pytest.LogCaptureFixture) -> None:
    """The new certificate is there and its key is not yet: calls succeed, and then use both."""
    credentials = Credentials(kubeconfig=str(served.write_kubeconfig(inline=False)), token_file="/nowhere")
    with closing(make_client(credentials, served.cluster)) as client:
        client.version()
        authority, certificate = served.issue("second")
        served.certificate.write_bytes(certificate.certificate.read_bytes())
        client.version()
        assert "Could not use changed credentials" in caplog.text
        served.write(authority, certificate)
        served.use(authority)
        client.version()


def test_the_authority_of_a_pod_is_read_again(
    served: TlsCluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Kubernetes replaces the file in the pod when the cluster's authority changes."""
    monkeypatch.setenv("KUBERNETES_SERVICE_HOST", "127.0.0.1")
    monkeypatch.setenv("KUBERNETES_SERVICE_PORT", str(served.proxy.port))
    token = tmp_path / "token"
    token.write_text(served.cluster.token, "utf-8")
    credentials = Credentials(token_file=str(token), ca_file=str(served.ca))
    before = credentials.tls
    token.write_text("another", "utf-8")
    assert credentials.tls is before  # a new token needs no new connections
    authority, certificate = served.issue("second")
    served.write(authority, certificate)
    assert "'second'" in str(credentials.tls.get_ca_certs())


def test_a_new_address_in_kubeconfig_is_used_at_once(cluster: ClusterStandIn, tmp_path: Path) -> None:
    """An API that moved to another address needs no restart of the worker."""
    path = tmp_path / "moved"
    write_kubeconfig(path, "http://127.0.0.1:1", cluster.token)
    with closing(make_client(Credentials(kubeconfig=str(path), token_file="/nowhere"), cluster)) as client:
        with pytest.raises(urllib3.exceptions.HTTPError):
            client.version()
        write_kubeconfig(path, cluster.url, cluster.token)
        client.version()
