# SPDX-License-Identifier: GPL-3.0-or-later
"""Credentials for the cluster's API: the pod's service account, else KUBECONFIG; read again whenever they change."""

import logging
import os
import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from kubernetes import client, config
from kubernetes.config import incluster_config
from kubernetes.config.config_exception import ConfigException

from investigator.argo.file_cache import FileCache
from investigator.argo.tls import TlsFiles, tls_context
from investigator.errors import StartupError

_LOGGER = logging.getLogger(__name__)


class ClusterConfigError(StartupError):
    """Neither a service account nor KUBECONFIG names the cluster; the text has both reasons."""


class Credentials:
    """The URL of the cluster's API, the TLS settings, and the token; may be used by many threads.

    Each is read again when a file changes: the token's, the certificate authority's, the client certificate's, its
    key's, or KUBECONFIG.

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
        self._verify = verify_tls
        pod, file = _ServiceAccount(token_file, ca_file), _Kubeconfig(kubeconfig)
        try:
            configuration = pod.configuration()
            self._source: _ServiceAccount | _Kubeconfig = pod
        except ConfigException as error:
            configuration = file.configuration(f"there is no service account ({error}), and ")
            self._source = file
        self._last = self._server(configuration)
        self._servers = FileCache(self._server_files, self._read_server)
        self._token = FileCache(lambda: self._source.token_files, self._source.token)

    @property
    def in_cluster(self) -> bool:
        """Whether the credentials are those of a pod's service account."""
        return isinstance(self._source, _ServiceAccount)

    @property
    def host(self) -> str:
        """The URL of the API, without a slash at the end."""
        return self._servers.get().host

    @property
    def tls(self) -> ssl.SSLContext:
        """The TLS settings: the same object until the authority, the client's certificate or its key changes."""
        return self._servers.get().tls

    def token(self) -> str | None:
        """Return the current bearer token; None if the worker authenticates by a client certificate."""
        return self._token.get()

    def refresh(self) -> None:
        """Read everything again at its next use, because the API refused the last request."""
        self._token.invalidate()
        self._servers.invalidate()

    def _server_files(self) -> Sequence[str]:
        return [*self._source.server_files, *self._last.files.paths()]

    def _read_server(self) -> "_Server":
        try:
            self._last = self._server(self._source.configuration(), self._last)
        except (ConfigException, ClusterConfigError, OSError, ValueError) as error:
            # Another program may be writing a file, or has replaced the certificate and not yet its key.
            _LOGGER.warning("Could not use changed credentials of the cluster, using the last ones error=%s", error)
        return self._last

    def _server(self, configuration: client.Configuration, last: "_Server | None" = None) -> "_Server":
        paths = configuration.ssl_ca_cert, configuration.cert_file, configuration.key_file
        files = TlsFiles(*(str(path) if path else None for path in paths))
        content = files.content()
        tls = last.tls if last and last.content == content else tls_context(files, verify=self._verify)
        return _Server(configuration.host.rstrip("/"), files, content, tls)


@dataclass(frozen=True, slots=True)
class _Server:
    host: str
    files: TlsFiles
    content: tuple[bytes, ...]
    tls: ssl.SSLContext


class _ServiceAccount:
    """The service account of a pod."""

    def __init__(self, token_file: str, ca_file: str) -> None:
        self._token_file = token_file
        self._ca_file = ca_file
        self.token_files = [token_file]
        self.server_files = [ca_file]

    def configuration(self) -> client.Configuration:
        incluster_config.InClusterConfigLoader(self._token_file, self._ca_file).load_and_set()
        return client.Configuration()

    def token(self) -> str | None:
        return Path(self._token_file).read_text("utf-8").strip()


class _Kubeconfig:
    """A file for use outside of a cluster."""

    def __init__(self, path: str | None) -> None:
        self._path = path
        default = str(Path(config.kube_config.KUBE_CONFIG_DEFAULT_LOCATION).expanduser())
        self.token_files = self.server_files = (path or default).split(os.pathsep)

    def configuration(self, error_prefix: str = "") -> client.Configuration:
        configuration = client.Configuration()
        try:
            config.load_kube_config(config_file=self._path, client_configuration=configuration)
        except Exception as error:  # the file's content decides the type, and another program may be writing it
            raise ClusterConfigError(f"{error_prefix}KUBECONFIG has no usable credentials: {error}") from error
        return configuration

    def token(self) -> str | None:
        header = self.configuration().get_api_key_with_prefix("authorization")
        return header.split(" ", 1)[-1].strip() if header else None
