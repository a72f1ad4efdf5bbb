# SPDX-License-Identifier: GPL-3.0-or-later
"""Builds what operators' commands use, each time anew, without any worker; a part of `app`."""

import asyncio
import socket
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import get_args

from pydantic import SecretStr

from investigator.agent import MessageType
from investigator.agent.message import fields_of
from investigator.delivery.halt_coordinator import HaltCoordinator
from investigator.kafka import topics
from investigator.kafka.dead_letter_store import DeadLetterStore
from investigator.kafka.errors import KafkaTimeoutError
from investigator.kafka.halt_log import KafkaHaltLog
from investigator.kafka.options import client_options
from investigator.kafka.producer import DurableProducer
from investigator.kafka.replay_log import ReplayLog
from investigator.kafka.topic_reader import TopicReader
from investigator.observability.redaction import Redactor
from investigator.settings import Settings

_HALTS_SECONDS = 30.0


class Operations:
    """What an operator can do from a command line.

    Args:
        settings: those of the worker whose group it is about.
        message_types: all message types by base name.
        redactor: removes passwords from what is printed.
    """

    def __init__(self, settings: Settings, message_types: Mapping[str, MessageType], redactor: Redactor) -> None:
        self._settings = settings
        self._message_types = message_types
        self.redactor = redactor

    @property
    def group(self) -> str:
        """The consumer group that is operated."""
        return self._settings.kafka_consumer_group_id

    @property
    def servers(self) -> str:
        """Where Kafka is."""
        return ", ".join(self._settings.kafka_bootstrap_servers)

    @property
    def topics(self) -> dict[str, str]:
        """The full name of each topic by its base name."""
        return {base_name: self._settings.topic(base_name) for base_name in self._message_types}

    @property
    def operator(self) -> str:
        """Who operates, where he does not say it himself."""
        return f"operator at {socket.gethostname()}"

    @property
    def secret_fields(self) -> frozenset[str]:
        """The names of the fields of messages that are passwords."""
        records = [each.record for each in self._message_types.values()]
        return frozenset(
            name for record in records for name, (kind, _) in fields_of(record).items() if _is_secret(kind)
        )

    @asynccontextmanager
    async def halt_coordinator(self) -> AsyncIterator[HaltCoordinator]:
        """Give the halts of the group, read to their end; what is changed there is written before this ends.

        Raises:
            KafkaError: the broker can't be reached, or does not answer in time.
        """
        options = client_options(self._settings)
        topic = topics.halts_topic(self._settings)
        await topics.create_missing(options, [topic])
        writer = self._writer()
        log = KafkaHaltLog(topic.name, self.group, TopicReader(options), writer)
        halt_coordinator = HaltCoordinator(log, self.operator, time.time)
        log.feed(halt_coordinator)
        async with writer, log:
            await _read_to_the_end(halt_coordinator)
            yield halt_coordinator

    @asynccontextmanager
    async def dead_letters(self, *, to_replay: bool = False) -> AsyncIterator[DeadLetterStore]:
        """Give the dead letters; the log of replays is made only where it is going to be written."""
        options = client_options(self._settings)
        topic = topics.replays_topic(self._settings)
        if to_replay:
            await topics.create_missing(options, [topic])
        reader = TopicReader(options, idle_seconds=self._settings.thoth_investigator_read_idle_time)
        writer = self._writer()
        async with writer:
            yield DeadLetterStore(reader, writer, ReplayLog(topic.name, reader, writer))

    def _writer(self) -> DurableProducer:
        return DurableProducer(
            client_options(self._settings),
            idempotent=self._settings.thoth_investigator_producer_idempotence,
            max_message_bytes=self._settings.kafka_message_max_bytes,
        )


async def _read_to_the_end(halt_coordinator: HaltCoordinator) -> None:
    try:
        await asyncio.wait_for(halt_coordinator.synced.wait(), _HALTS_SECONDS)
    except asyncio.TimeoutError:
        raise KafkaTimeoutError(f"the log of halts could not be read within {_HALTS_SECONDS:g} s") from None


def _is_secret(kind: object) -> bool:
    return kind is SecretStr or any(map(_is_secret, get_args(kind)))
