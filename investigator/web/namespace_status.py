# SPDX-License-Identifier: GPL-3.0-or-later
"""The status of the namespaces: their limits, and what creations in them wait for."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from investigator.argo.admission import NamespaceView
from investigator.web.status_model import NamespaceStatus

Values = Mapping[tuple[str, ...], int]


def namespace_statuses(
    views: Iterable[NamespaceView], pending: Values, limits: Values, now: float, redact: Callable[[str], str]
) -> tuple[NamespaceStatus, ...]:
    """Return the status of each namespace that has a limit, or in which creations wait.

    Args:
        views: what creations wait for; namespaces without a view have only a limit.
        pending: the pending workflows, by the labels of the metric.
        limits: the limits, likewise.
        now: the current time, in the event loop's time.
        redact: removes passwords from a text.
    """
    by_name = {view.namespace: view for view in views}
    names = {name for (name,) in limits} | {view.namespace for view in by_name.values() if _waits(view)}
    idle = NamespaceView("", None, "", None)
    return tuple(
        NamespaceStatus(
            name, pending.get((name,)), limits.get((name,)), **_waits_of(by_name.get(name, idle), now, redact)
        )
        for name in sorted(names)
    )


def _waits(view: NamespaceView) -> bool:
    return view.count_fails_since is not None or view.quota is not None


def _waits_of(view: NamespaceView, now: float, redact: Callable[[str], str]) -> dict[str, Any]:
    waits: dict[str, Any] = {}
    if view.count_fails_since is not None:
        waits |= {"count_failing_seconds": now - view.count_fails_since, "count_error": redact(view.count_error)}
    if view.quota is not None:
        waits |= {
            "quota": view.quota.quota,
            "quota_full_seconds": now - view.quota.since,
            "quota_waiting": view.quota.waiting,
            "quota_error": redact(view.quota.error),
        }
    return waits
