# SPDX-License-Identifier: GPL-3.0-or-later
"""Recognizes the refusals of a creation that a ResourceQuota of the namespace causes."""

import re
from dataclasses import dataclass
from http import HTTPStatus

from investigator.argo.http import ApiError

# The texts of Kubernetes' quota admission; a ClusterResourceQuota of OpenShift has the same. "status unknown" means
# that the usage is not computed yet. A "failed quota ... must specify" concerns the workflow itself, and is not here.
_EXHAUSTED = re.compile(r"(?:exceeded quota|status unknown for quota): (?P<name>[^\s,:]+)", re.IGNORECASE)
# Two creations met at the quota, or the admission was too slow; neither says that there is no room.
_CONFLICT = re.compile(r"Operation cannot be fulfilled on (?:cluster|applied)?resourcequotas?\b", re.IGNORECASE)
_TIMEOUT = re.compile(r"resource quota evaluation timed out", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class QuotaRefusal:
    """A creation that a quota refused; ``error`` is the whole answer.

    If it ``is_conflict``, the same request may succeed at once.
    """

    quota: str
    error: str
    is_conflict: bool = False


def quota_refusal(error: ApiError) -> QuotaRefusal | None:
    """Return the refusal if a quota caused the error; None for any other error."""
    text = str(error)
    if error.status == HTTPStatus.FORBIDDEN and (found := _EXHAUSTED.search(text)):
        return QuotaRefusal(found["name"], text)
    is_conflict = error.status == HTTPStatus.CONFLICT and _CONFLICT.search(text)
    if is_conflict or (error.status == HTTPStatus.INTERNAL_SERVER_ERROR and _TIMEOUT.search(text)):
        return QuotaRefusal("unknown", text, is_conflict=True)
    return None
