# SPDX-License-Identifier: GPL-3.0-or-later

import faust
import pytest
from faust.types import TP
from prometheus_client import CollectorRegistry

from investigator.streaming.monitor import add_monitor

A, B = TP("releases", 0), TP("releases", 1)


@pytest.fixture
def registry() -> CollectorRegistry:
    """A registry of the test's own."""
    return CollectorRegistry()


@pytest.fixture
def app(registry: CollectorRegistry) -> faust.App:
    """An application that keeps Faust's metrics there."""
    app = faust.App("monitored", broker="kafka://127.0.0.1:1")
    add_monitor(app, registry)
    return app


def _end(registry: CollectorRegistry, tp: TP) -> float | None:
    labels = {"topic": tp.topic, "partition": str(tp.partition)}
    return registry.get_sample_value("faust_topic_partition_end_offset", labels)


def test_the_end_of_each_partition_is_shown_as_last_seen(app: faust.App, registry: CollectorRegistry) -> None:
    """Lag can be told from the metrics, though nothing is written into them for each message."""
    for tp, offset in ((A, 5), (B, 7), (A, 9)):
        app.monitor.track_tp_end_offset(tp, offset)
    assert (_end(registry, A), _end(registry, B)) == (9, 7)


def test_a_partition_that_was_taken_away_is_no_longer_shown(app: faust.App, registry: CollectorRegistry) -> None:
    """After a rebalance a worker shows only what it has, and what comes back to it is shown as it is then."""
    app.monitor.track_tp_end_offset(A, 5)
    app.monitor.on_rebalance_start(app)
    assert _end(registry, A) is None
    app.monitor.track_tp_end_offset(A, 6)
    assert _end(registry, A) == 6
