# SPDX-License-Identifier: GPL-3.0-or-later
"""All names of metrics in one table. Dashboards and alerts depend on every name and label here."""

from dataclasses import dataclass
from typing import Generic, TypeVar, overload

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, Info
from prometheus_client.metrics import MetricWrapperBase

M = TypeVar("M", bound=MetricWrapperBase)

#: From one quick call of the cluster's API to a message that waits minutes for places in the cluster.
_DURATION_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 900)


def message_type(base_name: str) -> str:
    """Give the label `message_type` of a message: the last part of its base name, dashes as underscores."""
    return base_name.rsplit(".", 1)[-1].replace("-", "_")


@dataclass(frozen=True, eq=False)
class Definition(Generic[M]):
    """One row of the table: on `Metrics` itself it is this definition, on an instance the metric."""

    kind: type[M]
    name: str
    documentation: str
    labels: tuple[str, ...] = ()
    buckets: tuple[float, ...] | None = None

    def build(self, registry: CollectorRegistry) -> M:
        """Make the metric and register it."""
        extra = {} if self.buckets is None else {"buckets": self.buckets}
        return self.kind(self.name, self.documentation, self.labels, registry=registry, **extra)  # type: ignore[arg-type]  # only histograms have buckets

    @overload
    def __get__(self, instance: None, owner: type) -> "Definition[M]": ...
    @overload
    def __get__(self, instance: "Metrics", owner: type) -> M: ...
    def __get__(self, instance: "Metrics | None", owner: type) -> "M | Definition[M]":
        """Give the metric of an instance, or the definition where the class is asked."""
        return self if instance is None else instance.built(self)


class Metrics:
    """The metrics of one worker. Names of counters get the suffix `_total` when they are scraped."""

    consumer_info = Definition(Info, "thoth_investigator_consumer", "Version of the worker")
    in_progress = Definition(
        Gauge, "thoth_investigator_in_progress", "Messages that are being handled right now", ("message_type",)
    )
    exceptions = Definition(Counter, "thoth_investigator_exceptions", "Attempts that failed", ("message_type",))
    processed = Definition(Counter, "thoth_investigator_processed", "Messages that were handled", ("message_type",))
    failures = Definition(Counter, "thoth_investigator_failures", "Messages that were given up", ("message_type",))
    dead_letters = Definition(
        Counter, "thoth_investigator_dead_letters", "Messages that went to a dead-letter topic", ("message_type",)
    )
    message_duration_seconds = Definition(
        Histogram,
        "thoth_investigator_message_duration_seconds",
        "Time from taking up a message to its end, all attempts together",
        ("message_type",),
        _DURATION_BUCKETS,
    )
    scheduled_workflows = Definition(
        Counter,
        "thoth_investigator_scheduled_workflows",
        "Workflows that were created; the message type is a base name here",
        ("message_type", "workflow_type"),
    )
    deduplicated_workflows = Definition(
        Counter,
        "thoth_investigator_deduplicated_workflows",
        "WorkflowScheduler that were there already when they were to be created",
        ("message_type", "workflow_type"),
    )
    pending_workflows = Definition(
        Gauge,
        "thoth_investigator_pending_workflows",
        "WorkflowScheduler that have not started, as last counted",
        ("namespace",),
    )
    pending_workflow_limit = Definition(
        Gauge,
        "thoth_investigator_pending_workflow_limit",
        "WorkflowScheduler that may be waiting before no more are created",
        ("namespace",),
    )
    circuit_breaker_open = Definition(
        Gauge,
        "thoth_investigator_circuit_breaker_open",
        "Whether work is held back because a dependency is down",
        ("dependency",),
    )
    halted_topics = Definition(
        Gauge, "thoth_investigator_halted_topics", "Whether a topic is halted", ("base_topic_name",)
    )
    missing_handler = Definition(
        Counter,
        "thoth_investigator_missing_handler",
        "Messages of a version that no handler knows",
        ("base_topic_name", "message_version"),
    )
    message_count_by_version = Definition(
        Counter, "message_count_by_version", "Messages seen, by version", ("message_type", "message_version")
    )
    current_partition_offsets = Definition(
        Gauge, "current_partition_offsets", "The next offset to commit", ("topic_name", "partition")
    )
    thoth_database_schema_revision_script = Definition(
        Gauge,
        "thoth_database_schema_revision_script",
        "The revision of the graph's schema that the worker was built for",
        ("component", "revision", "env"),
    )
    thoth_advise_justification_type_number = Definition(
        Gauge,
        "thoth_advise_justification_type_number",
        "How often a justification was given in advice",
        ("advise_message", "justification_type", "thoth_environment"),
    )

    def __init__(self, registry: CollectorRegistry) -> None:
        self.registry = registry
        self._built: dict[object, MetricWrapperBase] = {each: each.build(registry) for each in definitions()}

    def built(self, definition: Definition[M]) -> M:
        """Give the metric that was built from a definition."""
        metric = self._built[definition]
        assert isinstance(metric, definition.kind)  # noqa: S101  (tells the type checker what build() did)
        return metric


def definitions() -> tuple[Definition[MetricWrapperBase], ...]:
    """Give the whole table."""
    return tuple(row for row in vars(Metrics).values() if isinstance(row, Definition))
