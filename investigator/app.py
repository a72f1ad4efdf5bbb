# SPDX-License-Identifier: GPL-3.0-or-later
"""The composition root: it builds the parts of a worker and connects them; no other module does."""

import importlib
import logging
import os
import pkgutil
import socket
import sys
import time
from collections.abc import Awaitable, Callable, Mapping
from contextlib import closing
from functools import cache, partial
from typing import TYPE_CHECKING, Any, cast

from faust.cli.base import cli
from prometheus_client import REGISTRY

import agents
from investigator import __version__
from investigator.agent import MESSAGE_TYPES, MessageType
from investigator.agent.context import Services
from investigator.cli import add_commands
from investigator.delivery.dispatcher import Dispatcher
from investigator.delivery.halt_coordinator import HaltCoordinator
from investigator.delivery.policy import DispatchPolicy, RetryPolicy
from investigator.delivery.replay_proof import ReplayGuard, ReplayProof
from investigator.kafka import topics
from investigator.kafka.dead_letter_publisher import DeadLetterPublisher
from investigator.kafka.halt_log import KafkaHaltLog
from investigator.kafka.options import client_options
from investigator.kafka.patches.all_clients import patch_clients
from investigator.kafka.patches.bounded_decompression import bound_decompression
from investigator.kafka.patches.header_names import tolerate_non_utf8_header_names
from investigator.kafka.patches.unreadable_batches import pause_on_unreadable_batch
from investigator.kafka.producer import DurableProducer
from investigator.kafka.topic_reader import TopicReader
from investigator.observability import logs, sentry
from investigator.observability.metrics import Metrics, message_type
from investigator.observability.redaction import Redactor
from investigator.observability.telemetry import Telemetry
from investigator.operations import Operations
from investigator.preflight.checks import Preflight
from investigator.services import SharedParts, build_breakers, build_cluster, build_database, build_services
from investigator.settings import ConfigurationError, Settings, load_settings, variable_names
from investigator.settings.secrets import secret_value
from investigator.streaming.application import Investigator, Lifecycle
from investigator.streaming.assignor import GroupSizeAssignor
from investigator.streaming.consumer import ConsumerContext
from investigator.streaming.handler_steps import Handlers
from investigator.streaming.intake import AgentFactory
from investigator.streaming.monitor import add_monitor
from investigator.streaming.options import faust_options, ignored_variables
from investigator.streaming.parser import Parser
from investigator.streaming.schema import RawSchema
from investigator.streaming.worker import Worker, run_apart
from investigator.web import StatusCollector, WorkerInfo, add_status_pages, add_views

if TYPE_CHECKING:
    from faust.types.agents import AgentFun

_LOGGER = logging.getLogger(__name__)


def app_from_environment() -> Investigator:
    """Build the application from the environment; if the settings are invalid, print every problem and exit."""
    try:
        settings = load_settings()
        _check_ack_on_fail(settings)
        redactor = Redactor(settings.secrets())
        logs.set_up(settings, redactor)
        if ignored := ignored_variables(variable_names()):
            _LOGGER.warning("Ignoring environment variables of Faust variables=%s", ",".join(ignored))
        sentry.set_up(settings, redactor, __version__)
        patch_clients()
        bound_decompression(settings.decompression_limit)
        add_commands(cli, Operations(settings, load_message_types(), redactor))
        return create_app(settings, redactor)
    except ConfigurationError as error:
        sys.exit(str(error))


def _check_ack_on_fail(settings: Settings) -> None:
    if unknown := settings.unknown_ack_on_fail(load_message_types().keys() | set()):
        names = ", ".join(map(repr, unknown))
        raise ConfigurationError([f"THOTH_INVESTIGATOR_ACK_ON_FAIL: no message type has the base name {names}."])


def load_message_types() -> Mapping[str, MessageType]:
    """Import every module of the package `agents`, and return the message types by base name."""
    for module in pkgutil.iter_modules(agents.__path__, "agents."):
        importlib.import_module(module.name)
    return MESSAGE_TYPES


def create_app(settings: Settings, redactor: Redactor) -> Investigator:
    """Build the application of a worker, which connects to nothing before its start."""
    metrics = Metrics(REGISTRY)
    metrics.consumer_info.info({"version": __version__})
    tolerate_non_utf8_header_names()
    pause_on_unreadable_batch(lambda *labels: metrics.unreadable_batches.labels(*labels).inc())
    options = client_options(settings)
    producer = _producer(settings, options)
    halt_log, halt_coordinator = _halts(settings, options, producer, metrics)
    _export_halts(settings, halt_coordinator, metrics)
    dead_letters = DeadLetterPublisher(settings, producer, _dead_letter_topic_creator(settings), redactor, metrics)
    telemetry = Telemetry(metrics)
    dispatcher = Dispatcher(_dispatch_policy(settings), halt_coordinator, dead_letters, telemetry, redactor)
    group = GroupSizeAssignor()
    shared = SharedParts(metrics, build_breakers(settings, metrics), group.member_count)
    services = cache(partial(build_services, settings, shared))
    app = Investigator(
        settings.kafka_consumer_group_id,
        _consumer_context(settings, dispatcher, telemetry, group),
        services=(producer, halt_log),
        lifecycle=_lifecycle(settings, dispatcher, partial(_prepare, settings, services), shared.clients.close),
        Worker=Worker,
        **faust_options(settings),
    )
    parser = shared.clients.enter_context(closing(Parser(redactor.learn_from)))
    handlers = Handlers(settings.kafka_consumer_group_id, settings.thoth_consumer_mode, services, parser)
    _add_agents(app, AgentFactory(app, dispatcher, handlers, _replay_guard(settings, metrics)), settings)
    add_monitor(app, metrics.registry)
    add_views(app, __version__, halt_coordinator, _topics(settings), redactor)
    add_status_pages(app, _status_collector(settings, dispatcher, halt_coordinator, shared, redactor))
    return app


def _producer(settings: Settings, options: dict[str, Any]) -> DurableProducer:
    return DurableProducer(
        options,
        idempotent=settings.thoth_investigator_producer_idempotence,
        max_message_bytes=settings.kafka_message_max_bytes,
    )


def _halts(
    settings: Settings, options: dict[str, Any], producer: DurableProducer, metrics: Metrics
) -> tuple[KafkaHaltLog, HaltCoordinator]:
    topic = topics.halts_topic(settings).name
    count_invalid = metrics.invalid_log_records.labels("halts").inc
    halt_log = KafkaHaltLog(topic, settings.kafka_consumer_group_id, TopicReader(options), producer, count_invalid)
    halt_coordinator = HaltCoordinator(halt_log, _worker_name(), time.time, settings.topic)
    halt_log.feed(halt_coordinator)
    return halt_log, halt_coordinator


def _replay_guard(settings: Settings, metrics: Metrics) -> ReplayGuard:
    proof = ReplayProof(secret_value(settings.thoth_investigator_replay_key))
    return ReplayGuard(proof, lambda topic: metrics.unproved_replays.labels(message_type(topic)).inc())


def _export_halts(settings: Settings, halt_coordinator: HaltCoordinator, metrics: Metrics) -> None:
    def export(base_name: str) -> None:
        metrics.halted_topics.labels(base_name).set(halt_coordinator.current_halt(base_name) is not None)

    for base_name in _topics(settings):
        export(base_name)
    halt_coordinator.add_listener(export)


def _topics(settings: Settings) -> dict[str, str]:
    return {base_name: settings.topic(base_name) for base_name in load_message_types()}


def _worker_name() -> str:
    return f"{socket.gethostname()}/{os.getpid()}"


def _worker_info(settings: Settings) -> WorkerInfo:
    return WorkerInfo(
        version=__version__,
        worker=_worker_name(),
        group=settings.kafka_consumer_group_id,
        modes=tuple(map(str, settings.thoth_consumer_mode)),
        started=time.time(),
        topics={each.base_name: settings.topic(each.base_name) for each in _consumed_types(settings)},
    )


def _status_collector(
    settings: Settings,
    dispatcher: Dispatcher,
    halt_coordinator: HaltCoordinator,
    shared: SharedParts,
    redactor: Redactor,
) -> StatusCollector:
    info, breakers = _worker_info(settings), shared.breakers.all()
    return StatusCollector(info, dispatcher, halt_coordinator, breakers, shared.metrics, redactor, shared.admissions)


def _consumer_context(
    settings: Settings, dispatcher: Dispatcher, telemetry: Telemetry, group: GroupSizeAssignor
) -> ConsumerContext:
    return ConsumerContext(
        dispatcher,
        telemetry.export_committed_offset,
        group,
        settings.thoth_investigator_fetch_max_wait_ms,
        settings.thoth_investigator_watchdog_seconds,
    )


def _lifecycle(
    settings: Settings, dispatcher: Dispatcher, prepare: Callable[[], None], close: Callable[[], None]
) -> Lifecycle:
    return Lifecycle(prepare, dispatcher, settings.thoth_investigator_shutdown_timeout, close)


def _prepare(settings: Settings, services: Callable[[], Services]) -> None:
    message_topics = [topics.message_topic(settings, each.base_name) for each in _consumed_types(settings)]
    preflight = Preflight(
        settings,
        [*message_topics, topics.halts_topic(settings)],
        database=lambda: build_database(settings),
        cluster=lambda: build_cluster(settings),
    )
    run_apart(preflight.run())
    services()


def _dispatch_policy(settings: Settings) -> DispatchPolicy:
    concurrency = settings.thoth_consumer_workers
    return DispatchPolicy(
        concurrency=concurrency,
        max_in_flight=4 * concurrency,
        topics=len(_consumed_types(settings)),
        retry=RetryPolicy(settings.thoth_investigator_max_retries, settings.thoth_investigator_backoff),
    )


def _dead_letter_topic_creator(settings: Settings) -> Callable[[str, int], Awaitable[None]]:
    async def create(name: str, partitions: int) -> None:
        topic = topics.dead_letters_topic(settings, name, partitions)
        await topics.create_missing(client_options(settings), [topic])

    return create


def _consumed_types(settings: Settings) -> list[MessageType]:
    return [each for each in load_message_types().values() if each.has_work_in(settings.thoth_consumer_mode)]


def _add_agents(app: Investigator, factory: AgentFactory, settings: Settings) -> None:
    for each in _consumed_types(settings):
        topic = app.topic(settings.topic(each.base_name), schema=RawSchema())
        app.agent(topic, name=each.base_name)(cast("AgentFun[Any]", factory.agent_body(each)))
