# SPDX-License-Identifier: GPL-3.0-or-later
"""The composition root: the only place where things are built and tied together."""

import importlib
import os
import pkgutil
import socket
import sys
import time
from collections.abc import Awaitable, Callable, Mapping
from functools import cache, partial
from typing import TYPE_CHECKING, Any, cast

from faust.cli.base import cli
from prometheus_client import REGISTRY

import agents
from investigator import __version__
from investigator.agent import MESSAGE_TYPES, MessageType
from investigator.agent.context import Services
from investigator.cli import add_commands
from investigator.delivery.dispatcher import Dispatcher, DispatchPolicy
from investigator.delivery.halt_coordinator import HaltCoordinator
from investigator.delivery.policy import RetryPolicy
from investigator.kafka import topics
from investigator.kafka.dead_letter_publisher import DeadLetterPublisher
from investigator.kafka.halt_log import KafkaHaltLog
from investigator.kafka.options import client_options
from investigator.kafka.patches.header_names import tolerate_non_utf8_header_names
from investigator.kafka.patches.unreadable_batches import pause_on_unreadable_batch
from investigator.kafka.producer import DurableProducer
from investigator.kafka.topic_reader import TopicReader
from investigator.observability import logs, sentry
from investigator.observability.metrics import Metrics
from investigator.observability.redaction import Redactor
from investigator.observability.telemetry import Telemetry
from investigator.operations import Operations
from investigator.preflight.checks import Preflight
from investigator.services import build_breakers, build_cluster, build_database, build_services
from investigator.settings import ConfigurationError, Settings, load_settings
from investigator.streaming.application import Investigator, Lifecycle
from investigator.streaming.assignor import GroupSizeAssignor
from investigator.streaming.consumer import build_transport
from investigator.streaming.intake import AgentFactory
from investigator.streaming.monitor import add_monitor
from investigator.streaming.options import faust_options
from investigator.streaming.schema import ErrorHandlingSchema
from investigator.streaming.worker import Worker, run_apart
from investigator.web import StatusCollector, WorkerInfo, add_status_pages, add_views

if TYPE_CHECKING:
    from faust.types.agents import AgentFun

# How long the last commit and taking leave of the brokers may take; they need a fraction of a second where all is well.
_CLOSING_SECONDS = 10.0


def app_from_environment() -> Investigator:
    """Build the application as the environment says; where that is wrong, say all that is and end the process."""
    try:
        settings = load_settings()
        _refuse_unknown_names(settings)
        redactor = Redactor(settings.secrets())
        logs.set_up(settings, redactor)
        sentry.set_up(settings, redactor, __version__)
        add_commands(cli, Operations(settings, load_message_types(), redactor))
        return create_app(settings, redactor)
    except ConfigurationError as error:
        sys.exit(str(error))


def _refuse_unknown_names(settings: Settings) -> None:
    if unknown := settings.unknown_ack_on_fail(load_message_types().keys() | set()):
        names = ", ".join(map(repr, unknown))
        raise ConfigurationError([f"THOTH_INVESTIGATOR_ACK_ON_FAIL: no message type has the base name {names}."])


def load_message_types() -> Mapping[str, MessageType]:
    """Import every module of the package `agents` and give the message types that they declare."""
    for module in pkgutil.iter_modules(agents.__path__, "agents."):
        importlib.import_module(module.name)
    return MESSAGE_TYPES


def create_app(settings: Settings, redactor: Redactor) -> Investigator:
    """Build a worker's application; it connects to nothing before it is started."""
    tolerate_non_utf8_header_names()
    pause_on_unreadable_batch()
    metrics = Metrics(REGISTRY)
    options = client_options(settings)
    writer = DurableProducer(
        options,
        idempotent=settings.thoth_investigator_producer_idempotence,
        max_message_bytes=settings.kafka_message_max_bytes,
    )
    halts = KafkaHaltLog(
        topics.halts_topic(settings).name, settings.kafka_consumer_group_id, TopicReader(options), writer
    )
    halt_coordinator = HaltCoordinator(halts, _worker_name(), time.time)
    halts.feed(halt_coordinator)
    dead_letters = DeadLetterPublisher(settings, writer, _topic_creator(settings), redactor, metrics)
    telemetry = Telemetry(metrics)
    dispatcher = Dispatcher(_dispatch_policy(settings), halt_coordinator, dead_letters, telemetry, redactor)
    breakers, group = build_breakers(metrics), GroupSizeAssignor()
    services = cache(partial(build_services, settings, metrics, breakers, group))
    app = Investigator(
        settings.kafka_consumer_group_id,
        build_transport(dispatcher, telemetry.show_position, group),
        services=(writer, halts),
        lifecycle=_lifecycle(settings, dispatcher, partial(_prepare, settings, services)),
        Worker=Worker,
        **faust_options(settings),
    )
    _add_agents(app, AgentFactory(app, dispatcher, services, settings.thoth_consumer_mode), settings, redactor)
    _add_web(app, settings, halt_coordinator, metrics)
    add_status_pages(
        app, StatusCollector(_identity(settings), dispatcher, halt_coordinator, breakers.all(), metrics, redactor)
    )
    return app


def _worker_name() -> str:
    return f"{socket.gethostname()}/{os.getpid()}"


def _identity(settings: Settings) -> WorkerInfo:
    return WorkerInfo(
        version=__version__,
        worker=_worker_name(),
        group=settings.kafka_consumer_group_id,
        modes=tuple(map(str, settings.thoth_consumer_mode)),
        started=time.time(),
        topics={each.base_name: settings.topic(each.base_name) for each in _consumed(settings)},
    )


def _lifecycle(settings: Settings, dispatcher: Dispatcher, prepare: Callable[[], None]) -> Lifecycle:
    in_hand = settings.thoth_investigator_shutdown_timeout
    return Lifecycle(
        prepare,
        drain=lambda: dispatcher.drain(dispatcher.ledger.assigned(), in_hand),
        longest_stop=in_hand + _CLOSING_SECONDS,
    )


def _prepare(settings: Settings, services: Callable[[], Services]) -> None:
    needed = [topics.message_topic(settings, each.base_name) for each in _consumed(settings)]
    preflight = Preflight(
        settings,
        [*needed, topics.halts_topic(settings)],
        database=lambda: build_database(settings),
        cluster=lambda: build_cluster(settings),
    )
    run_apart(preflight.run())
    services()


def _dispatch_policy(settings: Settings) -> DispatchPolicy:
    workers = settings.thoth_consumer_workers
    return DispatchPolicy(
        concurrency=workers,
        max_in_flight=4 * workers,
        retry=RetryPolicy(settings.thoth_investigator_max_retries, settings.thoth_investigator_backoff),
    )


def _topic_creator(settings: Settings) -> Callable[[str, int], Awaitable[None]]:
    async def create(name: str, partitions: int) -> None:
        twin = topics.dead_letters_topic(settings, name, partitions)
        await topics.create_missing(client_options(settings), [twin])

    return create


def _consumed(settings: Settings) -> list[MessageType]:
    return [each for each in load_message_types().values() if each.has_work_in(settings.thoth_consumer_mode)]


def _add_agents(app: Investigator, intake: AgentFactory, settings: Settings, redactor: Redactor) -> None:
    for message_type in _consumed(settings):
        schema = ErrorHandlingSchema(message_type, redactor.learn_from)
        topic = app.topic(settings.topic(message_type.base_name), schema=schema)
        app.agent(topic, name=message_type.base_name)(cast("AgentFun[Any]", intake.agent_body(message_type)))


def _add_web(app: Investigator, settings: Settings, halt_coordinator: HaltCoordinator, metrics: Metrics) -> None:
    names = {base_name: settings.topic(base_name) for base_name in load_message_types()}

    def show(base_name: str) -> None:
        metrics.halted_topics.labels(base_name).set(halt_coordinator.current(base_name) is not None)

    for base_name in names:
        show(base_name)
    halt_coordinator.add_listener(show)
    metrics.consumer_info.info({"version": __version__})
    add_monitor(app, metrics.registry)
    add_views(app, __version__, halt_coordinator, names)
