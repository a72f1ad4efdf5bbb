# SPDX-License-Identifier: GPL-3.0-or-later

import faust
import pytest
from faust.types import TP
from prometheus_client import CollectorRegistry

from investigator.streaming.monitor import add_monitor

A, B = TP("releases", 0), TP("releases", 1)


@pytest.fixture
def registry() -> CollectorRegistry:
    """Return a registry for one test."""
    return CollectorRegistry()


@pytest.fixture
def app(registry: CollectorRegistry) -> faust.App:
    """Return an application that records Faust's metrics in the registry."""
    app = faust.App("monitored", broker="kafka://127.0.0.1:1")
    add_monitor(app, registry)
    return app


def _end_offset(registry: CollectorRegistry, tp: TP) -> float | None:
    labels = {"topic": tp.topic, "partition": str(tp.partition)}
    return registry.get_sample_value("faust_topic_partition_end_offset", labels)


def test_the_last_known_end_offset_of_each_partition_is_exported(app: faust.App, registry: CollectorRegistry) -> None:
    """Operators can compute the lag from the metrics, though no message updates them."""
    for tp, offset in ((A, 5), (B, 7), (A, 9)):
        app.monitor.track_tp_end_offset(tp, offset)
    assert (_end_offset(registry, A), _end_offset(registry, B)) == (9, 7)


def test_a_revoked_partition_is_no_longer_exported(app: faust.App, registry: CollectorRegistry) -> None:
    """After a rebalance a worker exports the partitions that it has; one that comes back has its new end offset."""
    app.monitor.track_tp_end_offset(A, 5)
    app.monitor.on_rebalance_start(app)
    assert _end_offset(registry, A) is None
    app.monitor.track_tp_end_offset(A, 6)
    assert _end_offset(registry, A) == 6
