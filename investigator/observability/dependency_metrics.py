# SPDX-License-Identifier: GPL-3.0-or-later
"""Metrics of the cluster, the graph and the package indexes."""

from prometheus_client import Gauge

from investigator.observability.definition import Definition


class DependencyMetrics:
    """Say which dependencies are unavailable, and what waits for them."""

    circuit_breaker_open = Definition(
        Gauge,
        "thoth_investigator_circuit_breaker_open",
        "Whether calls wait because a dependency is unavailable",
        ("dependency",),
    )
    operation_unavailable = Definition(
        Gauge,
        "thoth_investigator_operation_unavailable_since_timestamp_seconds",
        "Since when calls wait because an operation of a dependency is unavailable; absent while it is available",
        ("dependency", "operation"),
    )
    operation_waiting_calls = Definition(
        Gauge,
        "thoth_investigator_operation_waiting_calls",
        "Calls that wait for an unavailable operation of a dependency; absent while it is available",
        ("dependency", "operation"),
    )
    thoth_database_schema_revision_script = Definition(
        Gauge,
        "thoth_database_schema_revision_script",
        "The schema revision of the graph that the worker was built for",
        ("component", "revision", "env"),
    )
