# SPDX-License-Identifier: GPL-3.0-or-later
"""Which answers of the API are refusals of a quota, by the texts of Kubernetes and OpenShift."""

import pytest

from investigator.argo.http import ApiError
from investigator.argo.quota_refusals import quota_refusal

POST = "POST https://api/apis/argoproj.io/v1alpha1/namespaces/thoth-backend/workflows"
FORBIDDEN = 'workflows.argoproj.io "adviser-1" is forbidden'
COUNT = "count/workflows.argoproj.io"


@pytest.mark.parametrize(
    ("message", "quota"),
    [
        (f"exceeded quota: object-counts, requested: {COUNT}=1, used: {COUNT}=4, limited: {COUNT}=4", "object-counts"),
        (f"exceeded quota: thoth.quota-2, requested: {COUNT}=1, used: {COUNT}=0, limited: {COUNT}=0", "thoth.quota-2"),
        ("exceeded quota: compute, requested: pods=1, used: pods=10, limited: pods=10", "compute"),
        ("exceeded quota: q, requested: limits.cpu=2,pods=1, used: limits.cpu=8,pods=9, limited: limits.cpu=8", "q"),
        (f"status unknown for quota: object-counts, resources: {COUNT}", "object-counts"),
    ],
)
def test_a_quota_without_room_is_recognized_by_its_name(message: str, quota: str) -> None:
    """Whatever resource it counts, and also before its usage is known."""
    refusal = quota_refusal(ApiError(POST, 403, f"{FORBIDDEN}: {message}", reason="Forbidden"))
    assert refusal is not None
    assert (refusal.quota, refusal.is_conflict) == (quota, False)
    assert message in refusal.error


@pytest.mark.parametrize(
    ("status", "message"),
    [
        (409, 'Operation cannot be fulfilled on resourcequotas "object-counts": the object has been modified'),
        (409, 'Operation cannot be fulfilled on clusterresourcequotas.quota.openshift.io "q": the object has been'),
        (500, "Internal error occurred: resource quota evaluation timed out"),
    ],
)
def test_a_conflict_at_a_quota_is_recognized(status: int, message: str) -> None:
    """Nothing was created, and the next try may succeed."""
    refusal = quota_refusal(ApiError(POST, status, message))
    assert refusal is not None
    assert refusal.is_conflict


@pytest.mark.parametrize(
    ("status", "message"),
    [
        (403, f"{FORBIDDEN}: failed quota: compute: must specify limits.cpu for: main"),
        (403, 'User "system:serviceaccount:thoth-infra:investigator" cannot create resource "workflows"'),
        (403, 'admission webhook "policy" denied the request: no'),
        (422, f"exceeded quota: q, requested: {COUNT}=1"),
        (409, 'workflows.argoproj.io "adviser-1" already exists'),
        (409, 'Operation cannot be fulfilled on workflows.argoproj.io "adviser-1": the object has been modified'),
        (500, "etcdserver: request timed out"),
    ],
)
def test_other_refusals_are_none_of_a_quota(status: int, message: str) -> None:
    """They are judged as before."""
    assert quota_refusal(ApiError(POST, status, message)) is None
