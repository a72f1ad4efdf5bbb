# SPDX-License-Identifier: GPL-3.0-or-later
"""The status of namespaces: limits, failing counts and full quotas."""

from investigator.argo.admission import NamespaceView
from investigator.argo.quota import QuotaView
from investigator.web.namespace_status import Values, namespace_statuses
from investigator.web.status_model import NamespaceStatus

IDLE = NamespaceView("thoth-middletier", None, "an earlier error", None)


def test_a_namespace_without_limit_and_waits_is_not_shown() -> None:
    """The page shows only what may hold messages back."""
    assert namespace_statuses([IDLE], {}, {}, 0.0, str) == ()


def test_a_failing_count_is_shown_with_its_cause() -> None:
    """Since when, and why."""
    view = NamespaceView("thoth-backend", 70.0, "403 with hunter2", None)
    limits: Values = {("thoth-backend",): 6, ("thoth-middletier",): 6}
    shown = namespace_statuses([view, IDLE], {("thoth-backend",): 7}, limits, 100.0, _redact)
    assert shown == (
        NamespaceStatus("thoth-backend", 7, 6, count_failing_seconds=30.0, count_error="403 with ***"),
        NamespaceStatus("thoth-middletier", None, 6),
    )


def test_a_full_quota_is_shown_also_without_a_limit() -> None:
    """Its name, how long it has no room, and how many workflows wait."""
    view = NamespaceView("thoth-backend", None, "", QuotaView("object-counts", 40.0, 12, "hunter2"))
    assert namespace_statuses([view], {}, {}, 100.0, _redact) == (
        NamespaceStatus(
            "thoth-backend",
            None,
            None,
            quota="object-counts",
            quota_full_seconds=60.0,
            quota_waiting=12,
            quota_error="***",
        ),
    )


def _redact(text: str) -> str:
    return text.replace("hunter2", "***")
