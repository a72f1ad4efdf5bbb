# SPDX-License-Identifier: GPL-3.0-or-later
"""A worker to be looked at, in memory."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from prometheus_client import CollectorRegistry

from investigator.observability.metrics import Metrics
from investigator.observability.redaction import Redactor
from investigator.resilience.breaker import Breaker
from investigator.web import StatusCollector, WorkerInfo
from investigator.web.status_model import Status
from tests.support.delivery_fakes import OTHER_TOPIC, TOPIC, now
from tests.support.delivery_worker import Worker

STARTED = -100.0
TOPICS = {TOPIC: f"stage.{TOPIC}", OTHER_TOPIC: f"stage.{OTHER_TOPIC}"}


@dataclass
class StatusFixture:
    """A worker that consumes two topics, with its metrics and breakers; the clock on the wall is the loop's."""

    worker: Worker = field(default_factory=Worker)
    metrics: Metrics = field(default_factory=lambda: Metrics(CollectorRegistry()))
    breakers: tuple[Breaker, ...] = field(default_factory=lambda: (Breaker("cluster"), Breaker("graph")))
    redact: Callable[[str], str] = field(default_factory=Redactor)
    topics: Mapping[str, str] = field(default_factory=lambda: TOPICS)

    def collector(self) -> StatusCollector:
        """Give what the page looks at."""
        worker_info = WorkerInfo("1.2.3", "pod/1", "investigator", ("middletier", "backend"), STARTED, self.topics)
        worker = self.worker
        return StatusCollector(
            worker_info, worker.dispatcher, worker.halt_coordinator, self.breakers, self.metrics, self.redact
        )

    def status(self) -> Status:
        """Give the status of this moment."""
        return self.collector().status(now(), now())
