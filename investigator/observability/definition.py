# SPDX-License-Identifier: GPL-3.0-or-later
"""The definition of a metric: a row of one of the tables."""

from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar, overload

from prometheus_client import CollectorRegistry
from prometheus_client.metrics import MetricWrapperBase

M = TypeVar("M", bound=MetricWrapperBase)


class Builder(Protocol):
    """Has the metrics that were built from definitions."""

    def built(self, definition: "Definition[M]") -> M:
        """Return the metric that was built from a definition."""
        ...


@dataclass(frozen=True, eq=False)
class Definition(Generic[M]):
    """One metric of a table: the class of the table has the definition, an instance of `Metrics` has the metric."""

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
    def __get__(self, instance: "Builder", owner: type) -> M: ...
    def __get__(self, instance: "Builder | None", owner: type) -> "M | Definition[M]":
        """Return the metric of an instance, or the definition where the attribute is read from the class."""
        return self if instance is None else instance.built(self)
