# SPDX-License-Identifier: GPL-3.0-or-later
"""The composition root: it builds the parts of a worker and connects them; no other module does."""

import logging
import sys
from contextlib import closing
from functools import cache, partial
from typing import TYPE_CHECKING, Any, cast

from faust.cli.base import cli
from prometheus_client import REGISTRY

from investigator import __version__
from investigator.assembly import (
    build_consumer_context,
    build_halts,
    build_lifecycle,
    build_producer,
    build_replay_guard,
    build_status_collector,
    build_worker_info,
    dead_letter_topic_creator,
    dispatch_policy,
    export_halts,
    prepare,
)
from investigator.cli import add_commands
from investigator.delivery.dispatcher import Dispatcher
from investigator.kafka.dead_letter_publisher import DeadLetterPublisher
from investigator.kafka.options import client_options
from investigator.kafka.patches.all_clients import patch_clients
from investigator.kafka.patches.bounded_decompression import bound_decompression
from investigator.kafka.patches.header_names import tolerate_non_utf8_header_names
from investigator.kafka.patches.unreadable_batches import pause_on_unreadable_batch
from investigator.message_types import consumed_types, load_message_types, topics_by_base_name
from investigator.observability import logs, sentry
from investigator.observability.metrics import Metrics
from investigator.observability.redaction import Redactor
from investigator.observability.telemetry import Telemetry
from investigator.operations import Operations
from investigator.services import SharedParts, build_breakers, build_services
from investigator.settings import ConfigurationError, Settings, load_settings, variable_names
from investigator.streaming.application import Investigator
from investigator.streaming.assignor import GroupSizeAssignor
from investigator.streaming.handler_steps import Handlers
from investigator.streaming.intake import AgentFactory
from investigator.streaming.monitor import add_monitor
from investigator.streaming.options import faust_options, ignored_variables
from investigator.streaming.parser import Parser
from investigator.streaming.schema import RawSchema
from investigator.streaming.worker import Worker
from investigator.web import add_status_pages, add_views

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


def create_app(settings: Settings, redactor: Redactor) -> Investigator:
    """Build the application of a worker, which connects to nothing before its start."""
    metrics = Metrics(REGISTRY)
    metrics.consumer_info.info({"version": __version__})
    tolerate_non_utf8_header_names()
    pause_on_unreadable_batch(lambda *labels: metrics.unreadable_batches.labels(*labels).inc())
    options = client_options(settings)
    producer = build_producer(settings, options)
    halt_log, halt_coordinator = build_halts(settings, options, producer, metrics)
    export_halts(settings, halt_coordinator, metrics)
    dead_letters = DeadLetterPublisher(settings, producer, dead_letter_topic_creator(settings), redactor, metrics)
    telemetry = Telemetry(metrics)
    dispatcher = Dispatcher(dispatch_policy(settings), halt_coordinator, dead_letters, telemetry, redactor)
    group = GroupSizeAssignor()
    shared = SharedParts(metrics, build_breakers(settings, metrics), group.member_count)
    services = cache(partial(build_services, settings, shared))
    app = Investigator(
        settings.kafka_consumer_group_id,
        build_consumer_context(settings, dispatcher, telemetry, group),
        services=(producer, halt_log),
        lifecycle=build_lifecycle(settings, dispatcher, partial(prepare, settings, services), shared.clients.close),
        Worker=Worker,
        **faust_options(settings),
    )
    parser = shared.clients.enter_context(closing(Parser(redactor.learn_from)))
    handlers = Handlers(settings.kafka_consumer_group_id, settings.thoth_consumer_mode, services, parser)
    _add_agents(app, AgentFactory(app, dispatcher, handlers, build_replay_guard(settings, metrics)), settings)
    add_monitor(app, metrics.registry)
    add_views(app, __version__, halt_coordinator, topics_by_base_name(settings), redactor)
    add_status_pages(
        app,
        build_status_collector(
            build_worker_info(settings, __version__), dispatcher, halt_coordinator, shared, redactor
        ),
    )
    return app


def _add_agents(app: Investigator, factory: AgentFactory, settings: Settings) -> None:
    for each in consumed_types(settings):
        topic = app.topic(settings.topic(each.base_name), schema=RawSchema())
        app.agent(topic, name=each.base_name)(cast("AgentFun[Any]", factory.agent_body(each)))
