# SPDX-License-Identifier: GPL-3.0-or-later
"""Builds the Kafka clients of the operators' commands, for each command, without a worker; a part of `app`."""

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
from investigator.delivery.replay_proof import ReplayProof
from investigator.kafka import topics
from investigator.kafka.compaction import check_compaction
from investigator.kafka.dead_letter_store import DeadLetterStore
from investigator.kafka.errors import KafkaTimeoutError
from investigator.kafka.halt_log import KafkaHaltLog
from investigator.kafka.options import client_options
from investigator.kafka.producer import DurableProducer
from investigator.kafka.replay_log import ReplayLog
from investigator.kafka.topic_reader import TopicReader
from investigator.observability.redaction import Redactor
from investigator.settings import Settings
from investigator.settings.secrets import secret_value

_HALT_LOG_SECONDS = 30.0


class Operations:
    """Access to the halts and dead letters of a consumer group from a command line.

    Args:
        settings: the settings of a worker of the group.
        message_types: all message types by base name.
        redactor: removes passwords from printed texts.
    """

    def __init__(self, settings: Settings, message_types: Mapping[str, MessageType], redactor: Redactor) -> None:
        self._settings = settings
        self._message_types = message_types
        self.redactor = redactor
        self._replay_proof = ReplayProof(secret_value(settings.thoth_investigator_replay_key))

    @property
    def group(self) -> str:
        """The consumer group."""
        return self._settings.kafka_consumer_group_id

    @property
    def servers(self) -> str:
        """The addresses of the brokers, for error texts."""
        return ", ".join(self._settings.kafka_bootstrap_servers)

    @property
    def topics(self) -> dict[str, str]:
        """The full name of each topic by its base name."""
        return {base_name: self._settings.topic(base_name) for base_name in self._message_types}

    @property
    def operator(self) -> str:
        """The name of the operator where the command line gives none."""
        return f"operator at {socket.gethostname()}"

    @property
    def proves_replays(self) -> bool:
        """Whether workers with the same settings recognize replays."""
        return self._replay_proof.has_key

    @property
    def secret_fields(self) -> frozenset[str]:
        """The names of the message fields that hold passwords."""
        records = [each.record for each in self._message_types.values()]
        return frozenset(
            name for record in records for name, (annotation, _) in fields_of(record).items() if _is_secret(annotation)
        )

    @asynccontextmanager
    async def halt_coordinator(self) -> AsyncIterator[HaltCoordinator]:
        """Open the halts of the group, with the whole halt log read; writes all changes before it closes.

        Raises:
            KafkaError: the broker can't be reached, or does not answer in time.
        """
        options = client_options(self._settings)
        topic = topics.halts_topic(self._settings)
        await topics.create_missing(options, [topic])
        producer = self._producer()
        halt_log = KafkaHaltLog(topic.name, self.group, TopicReader(options), producer)
        coordinator = HaltCoordinator(halt_log, self.operator, time.time)
        halt_log.feed(coordinator)
        async with producer, halt_log:
            await _wait_until_synced(coordinator)
            yield coordinator

    @asynccontextmanager
    async def dead_letters(self, *, to_replay: bool = False) -> AsyncIterator[DeadLetterStore]:
        """Open the dead letters; creates the topic of the replay log only if `to_replay` is set.

        Raises:
            KafkaError: the broker can't be reached, or the topic of the replay log is not compacted.
        """
        options = client_options(self._settings)
        topic = topics.replays_topic(self._settings)
        if to_replay:
            await topics.create_missing(options, [topic])
            await check_compaction(options, [topic])
        reader = TopicReader(options, idle_seconds=self._settings.thoth_investigator_read_idle_time)
        producer = self._producer()
        async with producer:
            yield DeadLetterStore(reader, producer, ReplayLog(topic.name, reader, producer), self._replay_proof)

    def _producer(self) -> DurableProducer:
        return DurableProducer(
            client_options(self._settings),
            idempotent=self._settings.thoth_investigator_producer_idempotence,
            max_message_bytes=self._settings.kafka_message_max_bytes,
        )


async def _wait_until_synced(coordinator: HaltCoordinator) -> None:
    try:
        await asyncio.wait_for(coordinator.synced.wait(), _HALT_LOG_SECONDS)
    except asyncio.TimeoutError:
        raise KafkaTimeoutError(f"the halt log could not be read within {_HALT_LOG_SECONDS:g} s") from None


def _is_secret(annotation: object) -> bool:
    return annotation is SecretStr or any(map(_is_secret, get_args(annotation)))
