# SPDX-License-Identifier: GPL-3.0-or-later
"""All metrics of a worker. Dashboards and alerts depend on every name and label in the tables."""

from prometheus_client import CollectorRegistry, Info
from prometheus_client.metrics import MetricWrapperBase

from investigator.observability.capped import CappedCounter, CappedGauge
from investigator.observability.definition import Definition, M
from investigator.observability.dependency_metrics import DependencyMetrics
from investigator.observability.kafka_metrics import KafkaMetrics
from investigator.observability.message_metrics import MessageMetrics
from investigator.observability.workflow_metrics import WorkflowMetrics


def message_type(base_name: str) -> str:
    """Return the label `message_type`: the last part of a base name, with underscores for dashes."""
    return base_name.rsplit(".", 1)[-1].replace("-", "_")


class Metrics(MessageMetrics, WorkflowMetrics, DependencyMetrics, KafkaMetrics):
    """The metrics of one worker. Scraped names of counters have the suffix `_total`."""

    consumer_info = Definition(Info, "thoth_investigator_consumer", "Version of the worker")

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
    tables = reversed(Metrics.__mro__)
    return tuple(row for table in tables for row in vars(table).values() if isinstance(row, Definition))
