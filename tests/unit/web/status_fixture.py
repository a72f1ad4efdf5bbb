# SPDX-License-Identifier: GPL-3.0-or-later
"""A worker in memory whose status the tests collect and render."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from prometheus_client import CollectorRegistry

from investigator.observability.metrics import Metrics
from investigator.observability.redaction import Redactor
from investigator.resilience.breaker_group import BreakerGroup
from investigator.web import StatusCollector, WorkerInfo
from investigator.web.status_model import Status
from tests.support.delivery_fakes import OTHER_TOPIC, TOPIC, now
from tests.support.delivery_worker import Worker

STARTED = -100.0
TOPICS = {TOPIC: f"stage.{TOPIC}", OTHER_TOPIC: f"stage.{OTHER_TOPIC}"}


@dataclass
class StatusFixture:
    """A worker that consumes two topics, with its metrics and breakers; its wall clock is the loop's clock."""

    worker: Worker = field(default_factory=Worker)
    metrics: Metrics = field(default_factory=lambda: Metrics(CollectorRegistry()))
    breakers: tuple[BreakerGroup, ...] = field(default_factory=lambda: (BreakerGroup("cluster"), BreakerGroup("graph")))
    redact: Callable[[str], str] = field(default_factory=Redactor)
    topics: Mapping[str, str] = field(default_factory=lambda: TOPICS)

    def collector(self) -> StatusCollector:
        """Return the status collector of the worker."""
        worker_info = WorkerInfo("1.2.3", "pod/1", "investigator", ("middletier", "backend"), STARTED, self.topics)
        worker = self.worker
        return StatusCollector(
            worker_info, worker.dispatcher, worker.halt_coordinator, self.breakers, self.metrics, self.redact
        )

    def status(self) -> Status:
        """Return the current status."""
        return self.collector().status(now(), now())
