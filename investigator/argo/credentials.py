# SPDX-License-Identifier: GPL-3.0-or-later
"""Who the worker is for the cluster's API, and where that is: the pod's service account, else KUBECONFIG."""

import os
import ssl
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

from kubernetes import client, config
from kubernetes.config import incluster_config
from kubernetes.config.config_exception import ConfigException
from requests.utils import DEFAULT_CA_BUNDLE_PATH

from investigator.errors import StartupError

TokenReader = Callable[[], str | None]


class ClusterConfigError(StartupError):
    """Neither a service account nor KUBECONFIG says where the cluster is; the text says why not."""


class Credentials:
    """Where the cluster's API is, and the token to show there, which is read anew whenever its file changes.

    Args:
        kubeconfig: path of the file for use outside of a cluster, several separated by colons; None for its default.
        verify_tls: whether the API has to show a certificate that is known.
        token_file: where the service account's token lies inside of a pod.
        ca_file: likewise the authority that signed the API's certificate.

    Raises:
        NoClusterError: there is no usable login at all.
    """

    def __init__(
        self,
        *,
        kubeconfig: str | None = None,
        verify_tls: bool = True,
        token_file: str = incluster_config.SERVICE_TOKEN_FILENAME,
        ca_file: str = incluster_config.SERVICE_CERT_FILENAME,
    ) -> None:
        self._kubeconfig = kubeconfig
        self._token_file = token_file
        try:
            configuration = _in_cluster(token_file, ca_file)
            self.in_cluster = True
        except ConfigException as inside:
            configuration = self._from_kubeconfig(f"there is no service account ({inside}), and ")
            self.in_cluster = False
        self.host: str = configuration.host.rstrip("/")
        self.tls = _tls(configuration, verify=verify_tls)
        self._token = _CachedToken(self._token_files(), self._read_token)

    def token(self) -> str | None:
        """Give the bearer token of this moment; None where a client certificate is the login."""
        return self._token.get()

    def refresh(self) -> None:
        """Read the token anew, since the API did not take the last one."""
        self._token.forget()

    def _token_files(self) -> Sequence[str]:
        if self.in_cluster:
            return [self._token_file]
        default = str(Path(config.kube_config.KUBE_CONFIG_DEFAULT_LOCATION).expanduser())
        return (self._kubeconfig or default).split(os.pathsep)

    def _read_token(self) -> str | None:
        if self.in_cluster:
            return Path(self._token_file).read_text("utf-8").strip()
        header = self._from_kubeconfig().get_api_key_with_prefix("authorization")
        return header.split(" ", 1)[-1].strip() if header else None

    def _from_kubeconfig(self, before: str = "") -> client.Configuration:
        configuration = client.Configuration()
        try:
            config.load_kube_config(config_file=self._kubeconfig, client_configuration=configuration)
        except Exception as error:  # its content decides what is raised, and it may be half written right now
            raise ClusterConfigError(f"{before}KUBECONFIG gives no login: {error}") from error
        return configuration


class _CachedToken:
    """A token that is kept until one of the files changes that it was read from; used by many threads."""

    def __init__(self, files: Sequence[str], read: TokenReader) -> None:
        self._files = files
        self._read = read
        self._lock = threading.Lock()
        self._file_version: object = None
        self._token: str | None = None

    def get(self) -> str | None:
        stamp = [_file_version(file) for file in self._files]
        with self._lock:
            if stamp != self._file_version:
                self._token = self._read()
                self._file_version = stamp
            return self._token

    def forget(self) -> None:
        with self._lock:
            self._file_version = None


def _file_version(file: str) -> tuple[int, int, int] | None:
    try:
        stat = Path(file).stat()
    except OSError:
        return None
    return stat.st_mtime_ns, stat.st_size, stat.st_ino


def _in_cluster(token_file: str, ca_file: str) -> client.Configuration:
    incluster_config.InClusterConfigLoader(token_file, ca_file).load_and_set()
    return client.Configuration()


def _tls(configuration: client.Configuration, *, verify: bool) -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.load_verify_locations(DEFAULT_CA_BUNDLE_PATH)
    # Authorities that clusters make for themselves often lack what newer versions of Python insist on by default.
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    if configuration.ssl_ca_cert:
        context.load_verify_locations(configuration.ssl_ca_cert)
    if configuration.cert_file:
        context.load_cert_chain(configuration.cert_file, configuration.key_file)
    if not verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context
