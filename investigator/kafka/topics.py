# SPDX-License-Identifier: GPL-3.0-or-later
"""The topics that investigator needs. Missing ones are created; existing ones are never changed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import KafkaError, TopicAlreadyExistsError, TopicAuthorizationFailedError, for_code

from investigator.delivery.dead_letters import MAX_HEADER_BYTES
from investigator.kafka.client_start import start_client
from investigator.kafka.retry import retry_while_retriable
from investigator.settings import Settings

HALTS = "thoth.investigator.halts"
REPLAYS = "thoth.investigator.replays"

# The largest value of a size in Kafka's configuration.
_MAX_INT = 2**31 - 1


@dataclass(frozen=True)
class Topic:
    """The properties with which a topic is created."""

    name: str
    partitions: int
    replication_factor: int
    config: Mapping[str, str] = field(default_factory=dict)


def message_topic(settings: Settings, base_name: str) -> Topic:
    """Return the topic of a message type."""
    return Topic(
        settings.topic(base_name),
        settings.thoth_investigator_topic_partitions,
        settings.thoth_investigator_topic_replication_factor,
    )


def dead_letters_topic(settings: Settings, name: str, partitions: int) -> Topic:
    """Return a dead-letter topic. Its records may exceed the largest message by the headers of a dead letter."""
    return Topic(
        name,
        partitions,
        settings.thoth_investigator_topic_replication_factor,
        config={"max.message.bytes": str(min(settings.kafka_message_max_bytes + MAX_HEADER_BYTES, _MAX_INT))},
    )


def halts_topic(settings: Settings) -> Topic:
    """Return the topic of the halt log."""
    return _log(settings, HALTS)


def replays_topic(settings: Settings) -> Topic:
    """Return the topic of the replay log."""
    return _log(settings, REPLAYS)


def _log(settings: Settings, base_name: str) -> Topic:
    """Return a compacted topic, as only the last record of a key counts, with one partition, for one order."""
    return Topic(
        settings.topic(base_name),
        partitions=1,
        replication_factor=settings.thoth_investigator_topic_replication_factor,
        config={"cleanup.policy": "compact"},
    )


async def create_missing(options: Mapping[str, Any], wanted: Sequence[Topic]) -> list[str]:
    """Create those of the topics that do not exist, and return their names.

    Args:
        options: the connection options of aiokafka's clients.
        wanted: the topics that must exist.

    Raises:
        KafkaError: the broker can't be reached, or refuses.
    """
    client = AIOKafkaAdminClient(**options)
    try:
        await start_client(client.start())
        return await retry_while_retriable(lambda: _create_missing(client, wanted))
    finally:
        await client.close()


async def _create_missing(client: AIOKafkaAdminClient, wanted: Sequence[Topic]) -> list[str]:
    existing = set(await client.list_topics())
    if missing := [topic for topic in wanted if topic.name not in existing]:
        _raise_refusals(await client.create_topics([_new_topic(topic) for topic in missing]))
    return [topic.name for topic in missing]


def _new_topic(topic: Topic) -> NewTopic:
    return NewTopic(topic.name, topic.partitions, topic.replication_factor, topic_configs=dict(topic.config))


def _raise_refusals(response: Any) -> None:  # noqa: ANN401  aiokafka's responses have no common type
    refused: dict[type[KafkaError], dict[str, str]] = {}
    for name, code, *message in response.topic_errors:
        error = for_code(code)
        # Another worker that starts at the same moment may have created it.
        if code and error is not TopicAlreadyExistsError:
            reason = (message[0] if message else None) or error.description
            refused.setdefault(error, {})[name] = reason
    for error, reasons in refused.items():
        names, reason = ", ".join(sorted(reasons)), next(iter(reasons.values()))
        raise error(f"{names} could not be created: {reason.rstrip('.')}{_remedy(error)}")


def _remedy(error: type[KafkaError]) -> str:
    return "; docs/kafka.md lists the worker's permissions" if error is TopicAuthorizationFailedError else ""
