# SPDX-License-Identifier: GPL-3.0-or-later
"""The permissions in the cluster that a worker needs, and a check for missing ones before the start."""

import logging
from collections.abc import Iterator

from urllib3.exceptions import HTTPError

from investigator.argo.client import ClusterClient
from investigator.argo.http import ApiError
from investigator.argo.permissions import Permission
from investigator.settings import Settings
from investigator.settings.modes import Mode

_LOGGER = logging.getLogger(__name__)
_ARGO, _TEMPLATES = "argoproj.io", "template.openshift.io"


def needed_permissions(settings: Settings) -> Iterator[Permission]:
    """Yield what handlers of the worker's modes do in the cluster."""
    infra = settings.thoth_infra_namespace
    if Mode.MIDDLETIER in settings.thoth_consumer_mode:
        yield Permission(infra, "", "configmaps", "get", "solvers")
    yield Permission(infra, _TEMPLATES, "templates", "list")
    yield Permission(infra, _TEMPLATES, "processedtemplates", "create")
    # Handlers of both modes create workflows in both namespaces.
    for namespace in dict.fromkeys((settings.thoth_backend_namespace, settings.thoth_middletier_namespace)):
        yield Permission(namespace, _ARGO, "workflows", "create")
        yield Permission(namespace, _ARGO, "workflows", "get")
        if settings.argo_pending_workflow_limit is not None:
            yield Permission(namespace, _ARGO, "workflows", "list")
            if settings.thoth_investigator_pending_counts_unstarted_pods:
                yield Permission(namespace, "", "pods", "list")


def missing_cluster_permissions(cluster: ClusterClient, settings: Settings) -> list[str]:
    """Return the permissions that the worker lacks; log a warning if the API does not say."""
    try:
        return [str(permission) for permission in cluster.missing_permissions(needed_permissions(settings))]
    except (ApiError, HTTPError) as error:
        _LOGGER.warning("Could not check the permissions in the cluster; missing ones show later error=%s", error)
        return []
