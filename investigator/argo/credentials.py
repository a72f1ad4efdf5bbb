# SPDX-License-Identifier: GPL-3.0-or-later
"""Credentials for the cluster's API: the pod's service account, else KUBECONFIG."""

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
    """Neither a service account nor KUBECONFIG names the cluster; the text has both reasons."""


class Credentials:
    """The URL of the cluster's API, the TLS settings, and the token, which is read again when its file changes.

    Args:
        kubeconfig: path of the file for use outside of a cluster, several separated by colons; None for its default.
        verify_tls: whether the API's certificate is verified.
        token_file: path of the service account's token inside of a pod.
        ca_file: path of the certificate authority of the API inside of a pod.

    Raises:
        ClusterConfigError: there are no usable credentials.
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
        except ConfigException as error:
            configuration = self._from_kubeconfig(f"there is no service account ({error}), and ")
            self.in_cluster = False
        self.host: str = configuration.host.rstrip("/")
        self.tls = _tls(configuration, verify=verify_tls)
        self._token = _CachedToken(self._token_files(), self._read_token)

    def token(self) -> str | None:
        """Return the current bearer token; None if the worker authenticates by a client certificate."""
        return self._token.get()

    def refresh(self) -> None:
        """Read the token again at its next use, because the API refused the last one."""
        self._token.invalidate()

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

    def _from_kubeconfig(self, error_prefix: str = "") -> client.Configuration:
        configuration = client.Configuration()
        try:
            config.load_kube_config(config_file=self._kubeconfig, client_configuration=configuration)
        except Exception as error:  # the file's content decides the type, and another program may be writing it
            raise ClusterConfigError(f"{error_prefix}KUBECONFIG has no usable credentials: {error}") from error
        return configuration


class _CachedToken:
    """A token that is read again when one of its files changes; may be used by many threads."""

    def __init__(self, files: Sequence[str], read: TokenReader) -> None:
        self._files = files
        self._read = read
        self._lock = threading.Lock()
        self._read_versions: object = None
        self._token: str | None = None

    def get(self) -> str | None:
        versions = [_file_version(file) for file in self._files]
        with self._lock:
            if versions != self._read_versions:
                self._token = self._read()
                self._read_versions = versions
            return self._token

    def invalidate(self) -> None:
        with self._lock:
            self._read_versions = None


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
    # The self-made authorities of clusters often lack extensions that newer versions of Python require by default.
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    if configuration.ssl_ca_cert:
        context.load_verify_locations(configuration.ssl_ca_cert)
    if configuration.cert_file:
        context.load_cert_chain(configuration.cert_file, configuration.key_file)
    if not verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context
