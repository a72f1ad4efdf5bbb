# SPDX-License-Identifier: GPL-3.0-or-later
"""Metrics of workflows."""

from prometheus_client import Counter, Gauge

from investigator.observability.definition import Definition


class WorkflowMetrics:
    """Say how many workflows were created, and what limits their creation."""

    scheduled_workflows = Definition(
        Counter,
        "thoth_investigator_scheduled_workflows",
        "Workflows that were created; here the message type is a base name",
        ("message_type", "workflow_type"),
    )
    deduplicated_workflows = Definition(
        Counter,
        "thoth_investigator_deduplicated_workflows",
        "Workflows that existed already when the worker asked to create them",
        ("message_type", "workflow_type"),
    )
    pending_workflows = Definition(
        Gauge,
        "thoth_investigator_pending_workflows",
        "Workflows that have not started, by the latest count; absent before the first one",
        ("namespace",),
    )
    pending_workflow_limit = Definition(
        Gauge,
        "thoth_investigator_pending_workflow_limit",
        "Workflows that may be pending before the worker waits to create more",
        ("namespace",),
    )
    pending_count_failing = Definition(
        Gauge,
        "thoth_investigator_pending_count_failing",
        "Whether messages wait because the pending workflows can't be counted",
        ("namespace",),
    )
    quota_waiting = Definition(
        Gauge,
        "thoth_investigator_quota_waiting",
        "Workflows that wait for room in a quota of their namespace",
        ("namespace",),
    )
