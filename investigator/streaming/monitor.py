# SPDX-License-Identifier: GPL-3.0-or-later
"""Faust's own metrics, without those of single messages, which cost more than the rest of Faust's work per message.

`investigator.observability.metrics` counts what happens to messages. Faust's own numbers would be wrong here: for Faust
a message is active until its stream acknowledges it, and this worker commits from the ledger instead.
"""

from collections.abc import Callable
from typing import Any, cast

import faust
from faust.sensors.prometheus import PrometheusMonitor, setup_prometheus_sensors
from faust.types import TP, EventT, Message, StreamT
from prometheus_client import CollectorRegistry

__all__ = ["add_monitor"]


class QuietMonitor(PrometheusMonitor):
    """A monitor of rebalances, assignments, commits, writes and web requests; of messages it records offsets only."""

    def on_message_in(self, tp: TP, offset: int, message: Message) -> None:
        """Do nothing."""

    def on_stream_event_in(self, tp: TP, offset: int, stream: StreamT[Any], event: EventT[Any]) -> None:
        """Do nothing."""

    def on_stream_event_out(
        self, tp: TP, offset: int, stream: StreamT[Any], event: EventT[Any], state: dict[str, Any] | None = None
    ) -> None:
        """Do nothing."""

    def track_tp_end_offset(self, tp: TP, offset: int) -> None:
        """Record the end of the partition; the gauge reads it when the metrics are scraped."""
        if tp not in self.tp_end_offsets:
            gauge = self._metrics.topic_partition_end_offset.labels(topic=tp.topic, partition=tp.partition)
            gauge.set_function(self._end_offset(tp))
        self.tp_end_offsets[tp] = offset

    def _end_offset(self, tp: TP) -> Callable[[], float]:
        return lambda: self.tp_end_offsets.get(tp, 0)


def add_monitor(app: faust.App, registry: CollectorRegistry) -> None:
    """Record Faust's metrics in the registry, and serve all metrics of the registry at /metrics."""
    setup_prometheus_sensors(app, registry=registry, name_prefix="faust")
    app.monitor = QuietMonitor(cast("QuietMonitor", app.monitor)._metrics)  # noqa: SLF001  only Faust's set-up makes them
