# SPDX-License-Identifier: GPL-3.0-or-later
"""The composition root: the only place where things are built and tied together."""

import importlib
import os
import pkgutil
import socket
import time
from collections.abc import Mapping
from typing import Any

from faust.sensors.prometheus import setup_prometheus_sensors
from prometheus_client import REGISTRY

import agents
from investigator import __version__, kafka
from investigator.agent import MESSAGE_TYPES, MessageType, Mode
from investigator.application import Investigator
from investigator.dead_letters import KafkaDeadLetters
from investigator.delivery.board import Board
from investigator.delivery.dispatcher import Dispatcher, DispatchPolicy
from investigator.delivery.engine import RetryPolicy
from investigator.halt_log import KafkaHaltLog
from investigator.metrics import Metrics
from investigator.redaction import Redactor
from investigator.settings import Settings
from investigator.stream import Intake, RecordOrError
from investigator.telemetry import Telemetry
from investigator.topics import Topic, create_missing, halts_topic
from investigator.web import add_views
from investigator.work import Services
from investigator.worker import Worker
from investigator.writer import Writer



def load_message_types() -> Mapping[str, MessageType]:
    """Import every module of the package `agents` and give the message types that they declare."""
    for module in pkgutil.iter_modules(agents.__path__, "agents."):
        importlib.import_module(module.name)
    return MESSAGE_TYPES

def create_app(settings: Settings, redactor: Redactor) -> Investigator:
    """Build a worker's application; it connects to nothing before it is started."""
    metrics = Metrics(REGISTRY)
    message_types = load_message_types()
    options = kafka.client_options(settings)
    writer = Writer(
        options,
        idempotent=settings.thoth_investigator_producer_idempotence,
        max_request_size=settings.kafka_message_max_bytes,
    )

    def changed(topic: str) -> None:
        metrics.halted_topics.labels(topic).set(board.current(topic) is not None)
        dispatcher.topic_changed(topic)

    halts = KafkaHaltLog(
        halts_topic(settings).name,
        settings.kafka_consumer_group_id,
        options,
        writer,
        on_caught_up=lambda: dispatcher.all_topics_changed(),
    )
    halts.board = board = Board(halts, f"{socket.gethostname()}/{os.getpid()}", time.time, changed)
    dead_letters = KafkaDeadLetters(settings, writer, _topic_creator(settings, options), redactor, metrics)
    dispatcher = Dispatcher(_dispatch_policy(settings), board, dead_letters, Telemetry(metrics))
    app = Investigator(
        settings.kafka_consumer_group_id,
        dispatcher,
        settings.thoth_investigator_shutdown_timeout,
        **_faust_options(settings),
    )
    for service in (writer, halts):
        app.service(service)
    for base_name in message_types:
        changed(base_name)
    _add_agents(app, Intake(app, dispatcher, _services(settings, metrics), settings.thoth_consumer_mode, redactor), settings)
    setup_prometheus_sensors(app, registry=metrics.registry, name_prefix="faust")
    add_views(app, __version__, board, {name: settings.topic(name) for name in message_types})
    metrics.consumer_info.info({"version": __version__})
    return app
