# SPDX-License-Identifier: GPL-3.0-or-later
"""Builds the single parts of a worker from its settings; `app.py` connects them."""

import os
import socket
import time
from collections.abc import Awaitable, Callable
from typing import Any

from investigator.agent.context import Services
from investigator.delivery.dispatcher import Dispatcher
from investigator.delivery.halt_coordinator import HaltCoordinator
from investigator.delivery.policy import DispatchPolicy, RetryPolicy
from investigator.delivery.replay_proof import ReplayGuard, ReplayProof
from investigator.kafka import topics
from investigator.kafka.halt_log import KafkaHaltLog
from investigator.kafka.options import client_options
from investigator.kafka.producer import DurableProducer
from investigator.kafka.topic_reader import TopicReader
from investigator.message_types import consumed_types, topics_by_base_name
from investigator.observability.metrics import Metrics, message_type
from investigator.observability.redaction import Redactor
from investigator.observability.telemetry import Telemetry
from investigator.preflight.checks import Preflight
from investigator.services import SharedParts, build_cluster, build_database
from investigator.settings import Settings
from investigator.settings.secrets import secret_value
from investigator.streaming.application import Lifecycle
from investigator.streaming.assignor import GroupSizeAssignor
from investigator.streaming.consumer import ConsumerContext
from investigator.streaming.worker import run_apart
from investigator.web import StatusCollector, WorkerInfo


def build_producer(settings: Settings, options: dict[str, Any]) -> DurableProducer:
    """Build the producer of dead letters, halts and replays."""
    return DurableProducer(
        options,
        idempotent=settings.thoth_investigator_producer_idempotence,
        max_message_bytes=settings.kafka_message_max_bytes,
    )


def build_halts(
    settings: Settings, options: dict[str, Any], producer: DurableProducer, metrics: Metrics
) -> tuple[KafkaHaltLog, HaltCoordinator]:
    """Build the log of halts in Kafka, and the coordinator that it feeds."""
    topic = topics.halts_topic(settings).name
    count_invalid = metrics.invalid_log_records.labels("halts").inc
    halt_log = KafkaHaltLog(topic, settings.kafka_consumer_group_id, TopicReader(options), producer, count_invalid)
    halt_coordinator = HaltCoordinator(halt_log, _worker_name(), time.time, settings.topic)
    halt_log.feed(halt_coordinator)
    return halt_log, halt_coordinator


def export_halts(settings: Settings, halt_coordinator: HaltCoordinator, metrics: Metrics) -> None:
    """Export a gauge for each topic that says whether it is halted, now and after each change."""

    def export(base_name: str) -> None:
        metrics.halted_topics.labels(base_name).set(halt_coordinator.current_halt(base_name) is not None)

    for base_name in topics_by_base_name(settings):
        export(base_name)
    halt_coordinator.add_listener(export)


def build_replay_guard(settings: Settings, metrics: Metrics) -> ReplayGuard:
    """Build what decides which messages count as replays."""
    proof = ReplayProof(secret_value(settings.thoth_investigator_replay_key))
    return ReplayGuard(proof, lambda topic: metrics.unproved_replays.labels(message_type(topic)).inc())


def dead_letter_topic_creator(settings: Settings) -> Callable[[str, int], Awaitable[None]]:
    """Return a function that creates a dead-letter topic with a number of partitions."""

    async def create(name: str, partitions: int) -> None:
        topic = topics.dead_letters_topic(settings, name, partitions)
        await topics.create_missing(client_options(settings), [topic])

    return create


def dispatch_policy(settings: Settings) -> DispatchPolicy:
    """Return the limits and retries of the settings."""
    concurrency = settings.thoth_consumer_workers
    return DispatchPolicy(
        concurrency=concurrency,
        max_in_flight=4 * concurrency,
        topics=len(consumed_types(settings)),
        retry=RetryPolicy(settings.thoth_investigator_max_retries, settings.thoth_investigator_backoff),
    )


def build_consumer_context(
    settings: Settings, dispatcher: Dispatcher, telemetry: Telemetry, group: GroupSizeAssignor
) -> ConsumerContext:
    """Build what the consumer of Faust needs of the worker."""
    return ConsumerContext(
        dispatcher,
        telemetry.export_committed_offset,
        group,
        settings.thoth_investigator_fetch_max_wait_ms,
        settings.thoth_investigator_watchdog_seconds,
    )


def build_lifecycle(
    settings: Settings, dispatcher: Dispatcher, prepare: Callable[[], None], close: Callable[[], None]
) -> Lifecycle:
    """Build what the application does at its start and stop."""
    return Lifecycle(prepare, dispatcher, settings.thoth_investigator_shutdown_timeout, close)


def prepare(settings: Settings, services: Callable[[], Services]) -> None:
    """Check the surroundings of the worker before it starts, and build what handlers use."""
    message_topics = [topics.message_topic(settings, each.base_name) for each in consumed_types(settings)]
    preflight = Preflight(
        settings,
        [*message_topics, topics.halts_topic(settings)],
        database=lambda: build_database(settings),
        cluster=lambda: build_cluster(settings),
    )
    run_apart(preflight.run())
    services()


def _worker_name() -> str:
    return f"{socket.gethostname()}/{os.getpid()}"


def build_worker_info(settings: Settings, version: str) -> WorkerInfo:
    """Build what the status page says about the worker itself."""
    return WorkerInfo(
        version=version,
        worker=_worker_name(),
        group=settings.kafka_consumer_group_id,
        modes=tuple(map(str, settings.thoth_consumer_mode)),
        started=time.time(),
        topics={each.base_name: settings.topic(each.base_name) for each in consumed_types(settings)},
    )


def build_status_collector(
    info: WorkerInfo,
    dispatcher: Dispatcher,
    halt_coordinator: HaltCoordinator,
    shared: SharedParts,
    redactor: Redactor,
) -> StatusCollector:
    """Build what collects the facts of the status page."""
    breakers = shared.breakers.all()
    return StatusCollector(info, dispatcher, halt_coordinator, breakers, shared.metrics, redactor, shared.admissions)
