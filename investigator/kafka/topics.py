# SPDX-License-Identifier: GPL-3.0-or-later
"""Topics that investigator needs and creates where they are missing; existing ones stay as they are."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import KafkaError, TopicAlreadyExistsError, TopicAuthorizationFailedError, for_code

from investigator.delivery.dead_letters import MAX_HEADER_BYTES
from investigator.kafka.retry import retry_while_retriable
from investigator.settings import Settings

HALTS = "thoth.investigator.halts"
REPLAYS = "thoth.investigator.replays"

# The largest number that Kafka takes for a size.
_MAX_INT = 2**31 - 1


@dataclass(frozen=True)
class Topic:
    """A topic as it is created."""

    name: str
    partitions: int
    replication_factor: int
    config: Mapping[str, str] = field(default_factory=dict)


def message_topic(settings: Settings, base_name: str) -> Topic:
    """Describe the topic of a message type."""
    return Topic(
        settings.topic(base_name),
        settings.thoth_investigator_topic_partitions,
        settings.thoth_investigator_topic_replication_factor,
    )


def dead_letters_topic(settings: Settings, name: str, partitions: int) -> Topic:
    """Describe a topic of dead letters, with room for what they have more than the largest message."""
    return Topic(
        name,
        partitions,
        settings.thoth_investigator_topic_replication_factor,
        config={"max.message.bytes": str(min(settings.kafka_message_max_bytes + MAX_HEADER_BYTES, _MAX_INT))},
    )


def halts_topic(settings: Settings) -> Topic:
    """Describe the log of halts."""
    return _log(settings, HALTS)


def replays_topic(settings: Settings) -> Topic:
    """Describe the log of dead letters that were sent again."""
    return _log(settings, REPLAYS)


def _log(settings: Settings, base_name: str) -> Topic:
    """One partition for one order, compacted since only the last record of a key counts."""
    return Topic(
        settings.topic(base_name),
        partitions=1,
        replication_factor=settings.thoth_investigator_topic_replication_factor,
        config={"cleanup.policy": "compact"},
    )


async def create_missing(options: Mapping[str, Any], wanted: Sequence[Topic]) -> list[str]:
    """Create those of the topics that do not exist and give their names.

    Args:
        options: how to reach the broker, as aiokafka's clients take it.
        wanted: what is needed.

    Raises:
        KafkaError: the broker can't be reached, or refuses.
    """
    client = AIOKafkaAdminClient(**options)
    try:
        await client.start()
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


def _raise_refusals(response: Any) -> None:  # noqa: ANN401  aiokafka's answers have no common type
    refused: dict[type[KafkaError], dict[str, str]] = {}
    for name, code, *message in response.topic_errors:
        error = for_code(code)
        # Another worker that starts at the same moment may have been quicker.
        if code and error is not TopicAlreadyExistsError:
            reason = (message[0] if message else None) or error.description
            refused.setdefault(error, {})[name] = reason
    for error, reasons in refused.items():
        names, reason = ", ".join(sorted(reasons)), next(iter(reasons.values()))
        raise error(f"{names} could not be created: {reason.rstrip('.')}{_remedy(error)}")


def _remedy(error: type[KafkaError]) -> str:
    return "; docs/kafka.md lists the worker's rights" if error is TopicAuthorizationFailedError else ""
