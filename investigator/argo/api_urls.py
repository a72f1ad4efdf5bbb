# SPDX-License-Identifier: GPL-3.0-or-later
"""The URLs of the cluster's API, at the addresses that the credentials and the settings name at the moment."""

from dataclasses import dataclass
from urllib.parse import quote

from investigator.argo.credentials import Credentials
from investigator.argo.templates import TEMPLATE_GROUP


@dataclass(frozen=True, slots=True)
class ApiUrls:
    """The URLs of the API.

    Attributes:
        credentials: have the address of the API, which may change with KUBECONFIG.
        api: another address of the API; None for that of the credentials.
        template_api: the address of the API that lists and processes templates, with the same default.
    """

    credentials: Credentials
    api: str | None = None
    template_api: str | None = None

    @property
    def host(self) -> str:
        """The address of the API."""
        return (self.api or self.credentials.host).rstrip("/")

    @property
    def template_host(self) -> str:
        """The address of the API for templates."""
        return (self.template_api or self.credentials.host).rstrip("/")

    def templates(self, namespace: str, resource: str) -> str:
        """Return the URL that lists (``templates``) or processes (``processedtemplates``) templates."""
        return f"{self.template_host}/apis/{TEMPLATE_GROUP}/v1/namespaces/{quote(namespace)}/{resource}"

    def workflows(self, namespace: str) -> str:
        """Return the URL of the workflows of a namespace."""
        return f"{self.host}/apis/argoproj.io/v1alpha1/namespaces/{quote(namespace)}/workflows"

    def pods(self, namespace: str) -> str:
        """Return the URL of the pods of a namespace."""
        return f"{self.host}/api/v1/namespaces/{quote(namespace)}/pods"

    def config_map(self, namespace: str, name: str) -> str:
        """Return the URL of a ConfigMap."""
        return f"{self.host}/api/v1/namespaces/{quote(namespace)}/configmaps/{quote(name)}"
