# SPDX-License-Identifier: GPL-3.0-or-later
"""Asks the cluster's API which permissions the worker lacks, without using any of them."""

import time
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from investigator.argo.http import ClusterApi

_GROUP = "authorization.k8s.io"
_KIND = "SelfSubjectAccessReview"
# An API server that starts denies permissions that exist, for about a second.
_ROUNDS = 4
_PAUSE_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Permission:
    """A permission in a namespace, by Kubernetes' terms; ``name`` restricts it to one object."""

    namespace: str
    group: str
    resource: str
    verb: str
    name: str = ""

    def __str__(self) -> str:
        """Return the permission as `kubectl auth can-i` takes it."""
        resource = f"{self.resource}.{self.group}" if self.group else self.resource
        return f"{self.verb} {resource}{f'/{self.name}' if self.name else ''} in {self.namespace}"


def missing(api: ClusterApi, host: str, needed: Iterable[Permission]) -> list[Permission]:
    """Return the permissions that the worker lacks; ask again for those that the API denies, for some seconds.

    Raises:
        ApiError, urllib3.exceptions.HTTPError: the API did not answer, or refused the question.
    """
    denied = [permission for permission in needed if not _is_allowed(api, host, permission)]
    for _ in range(_ROUNDS - 1):
        if not denied:
            break
        time.sleep(_PAUSE_SECONDS)
        denied = [permission for permission in denied if not _is_allowed(api, host, permission)]
    return denied


def _is_allowed(api: ClusterApi, host: str, permission: Permission) -> bool:
    attributes = {
        "namespace": permission.namespace,
        "group": permission.group,
        "resource": permission.resource,
        "verb": permission.verb,
        "name": permission.name,
    }
    body: dict[str, Any] = {
        "apiVersion": f"{_GROUP}/v1",
        "kind": _KIND,
        "spec": {"resourceAttributes": {key: value for key, value in attributes.items() if value}},
    }
    answer = api.post(f"{host}/apis/{_GROUP}/v1/{_KIND.lower()}s", body, kind=_KIND)
    status = answer.get("status")
    return isinstance(status, dict) and status.get("allowed") is True
