# SPDX-License-Identifier: GPL-3.0-or-later
"""All metrics in one table. Dashboards and alerts depend on every name and label here."""

from dataclasses import dataclass
from typing import Generic, TypeVar, overload

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, Info
from prometheus_client.metrics import MetricWrapperBase

from investigator.observability.capped import CappedCounter, CappedGauge

M = TypeVar("M", bound=MetricWrapperBase)

#: From one quick call of the cluster's API to a message that waits minutes for permits to create workflows.
_DURATION_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 900)


def message_type(base_name: str) -> str:
    """Return the label `message_type`: the last part of a base name, with underscores for dashes."""
    return base_name.rsplit(".", 1)[-1].replace("-", "_")


@dataclass(frozen=True, eq=False)
class Definition(Generic[M]):
    """One row of the table: the class `Metrics` has the definition, an instance of it has the metric."""

    kind: type[M]
    name: str
    documentation: str
    labels: tuple[str, ...] = ()
    buckets: tuple[float, ...] | None = None

    def build(self, registry: CollectorRegistry) -> M:
        """Create the metric and register it."""
        extra = {} if self.buckets is None else {"buckets": self.buckets}
        return self.kind(self.name, self.documentation, self.labels, registry=registry, **extra)  # type: ignore[arg-type]  # only histograms have buckets

    @overload
    def __get__(self, instance: None, owner: type) -> "Definition[M]": ...
    @overload
    def __get__(self, instance: "Metrics", owner: type) -> M: ...
    def __get__(self, instance: "Metrics | None", owner: type) -> "M | Definition[M]":
        """Return the metric of an instance, or the definition where the attribute is read from the class."""
        return self if instance is None else instance.built(self)


class Metrics:
    """The metrics of one worker. Scraped names of counters have the suffix `_total`."""

    consumer_info = Definition(Info, "thoth_investigator_consumer", "Version of the worker")
    in_progress = Definition(
        Gauge, "thoth_investigator_in_progress", "Messages that are being processed now", ("message_type",)
    )
    exceptions = Definition(Counter, "thoth_investigator_exceptions", "Failed attempts", ("message_type",))
    processed = Definition(
        Counter, "thoth_investigator_processed", "Messages that were processed successfully", ("message_type",)
    )
    failures = Definition(
        Counter,
        "thoth_investigator_failures",
        "Messages that failed permanently or exhausted their retries",
        ("message_type",),
    )
    dead_letters = Definition(
        Counter, "thoth_investigator_dead_letters", "Messages written to a dead-letter topic", ("message_type",)
    )
    unproved_replays = Definition(
        Counter,
        "thoth_investigator_unproved_replays",
        "Messages that claim to be replays without a valid proof, and were handled as new messages",
        ("message_type",),
    )
    replays_for_other_groups = Definition(
        Counter,
        "thoth_investigator_replays_for_other_groups",
        "Replays that the worker passed over because they are addressed to another consumer group",
        ("message_type",),
    )
    message_duration_seconds = Definition(
        Histogram,
        "thoth_investigator_message_duration_seconds",
        "Time from the acceptance of a message to its end, with all attempts and waits",
        ("message_type",),
        _DURATION_BUCKETS,
    )
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
    halted_topics = Definition(
        Gauge, "thoth_investigator_halted_topics", "Whether a topic is halted", ("base_topic_name",)
    )
    invalid_log_records = Definition(
        Counter,
        "thoth_investigator_invalid_log_records",
        "Records of the halt log that the worker passed over because no worker or command wrote them",
        ("log",),
    )
    unreadable_batches = Definition(
        Counter,
        "thoth_investigator_unreadable_batches",
        "Pauses of a partition at a batch that is damaged, or too large once it is decompressed; every 10 s until it "
        "is readable",
        ("topic_name", "partition", "reason"),
    )
    missing_handler = Definition(
        CappedGauge,
        "thoth_investigator_missing_handler",
        "Set to 1 once a message of a version came that no handler accepts",
        ("base_topic_name", "message_version"),
    )
    unknown_versions = Definition(
        CappedCounter,
        "thoth_investigator_unknown_versions",
        "Messages of a version that no handler accepts",
        ("base_topic_name", "message_version"),
    )
    capped_labels = Definition(
        Counter,
        "thoth_investigator_capped_labels",
        "Uses of the label value `other`, because a metric has too many texts of messages in its labels",
        ("metric",),
    )
    omitted_versions = Definition(
        Counter,
        "thoth_investigator_omitted_versions",
        "Versions that get no solvers, as one message selected too many; here the message type is a base name",
        ("message_type",),
    )
    message_count_by_version = Definition(
        CappedCounter,
        "message_count_by_version",
        "Messages received, by type and version",
        ("message_type", "message_version"),
    )
    current_partition_offsets = Definition(
        Gauge,
        "current_partition_offsets",
        "The committed offset of a partition, by the worker that owns it",
        ("topic_name", "partition"),
    )
    thoth_database_schema_revision_script = Definition(
        Gauge,
        "thoth_database_schema_revision_script",
        "The schema revision of the graph that the worker was built for",
        ("component", "revision", "env"),
    )
    thoth_advise_justification_type_number = Definition(
        CappedGauge,
        "thoth_advise_justification_type_number",
        "How many times advice contained a justification",
        ("advise_message", "justification_type", "thoth_environment"),
    )

    def __init__(self, registry: CollectorRegistry) -> None:
        self.registry = registry
        self._built: dict[object, MetricWrapperBase] = {each: each.build(registry) for each in definitions()}
        for definition in definitions():
            if isinstance(metric := self._built[definition], CappedCounter | CappedGauge):
                metric.report_to(self.capped_labels.labels(definition.name).inc)

    def built(self, definition: Definition[M]) -> M:
        """Return the metric that was built from a definition."""
        metric = self._built[definition]
        assert isinstance(metric, definition.kind)  # noqa: S101  (states for the type checker what build() did)
        return metric


def definitions() -> tuple[Definition[MetricWrapperBase], ...]:
    """Return all rows of the table."""
    return tuple(row for row in vars(Metrics).values() if isinstance(row, Definition))
