# SPDX-License-Identifier: GPL-3.0-or-later
"""Checks that the logs are compacted only: Kafka would delete their records by age otherwise."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import PolicyViolationError, TopicAuthorizationFailedError, for_code

from investigator.kafka.client_start import start_client
from investigator.kafka.topics import Topic

_POLICY = "cleanup.policy"
_COMPACT = "compact"


class CleanupPolicyError(PolicyViolationError):  # type: ignore[misc]  # aiokafka has no types
    """A topic has a cleanup policy that deletes records; the text has the command that corrects it."""


async def check_compaction(options: Mapping[str, Any], topics: Sequence[Topic]) -> None:
    """Check those of the topics that have to be compacted; a topic whose policy the brokers do not show passes.

    Args:
        options: the connection options of aiokafka's clients.
        topics: topics that exist.

    Raises:
        CleanupPolicyError: one of them has another policy.
        KafkaError: the brokers can't be reached.
    """
    names = [topic.name for topic in topics if topic.config.get(_POLICY) == _COMPACT]
    if not names:
        return
    client = AIOKafkaAdminClient(**options)
    try:
        await start_client(client.start())
        wrong = {name: policy for name, policy in await _policies(client, names) if policy != _COMPACT}
    finally:
        await client.close()
    if wrong:
        raise CleanupPolicyError("; ".join(_problem(options, name, policy) for name, policy in wrong.items()))


async def _policies(client: AIOKafkaAdminClient, names: Sequence[str]) -> list[tuple[str, str]]:
    # All settings of a topic are requested: a request for one of them makes some brokers close the connection.
    answers = await client.describe_configs([ConfigResource(ConfigResourceType.TOPIC, name) for name in names])
    return [each for answer in answers for each in _policies_in(answer.to_object())]


def _policies_in(answer: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for resource in answer["resources"]:
        error = for_code(resource["error_code"])
        if error is TopicAuthorizationFailedError:
            continue  # the worker needs no permission to read settings
        if resource["error_code"]:
            raise error(resource["error_message"])
        for entry in resource["config_entries"]:
            if entry["config_names"] == _POLICY:
                yield resource["resource_name"], entry["config_value"]


def _problem(options: Mapping[str, Any], name: str, policy: str) -> str:
    return (
        f"{name} has {_POLICY}={policy}, so Kafka would delete its records by age. Correct it with: kafka-configs.sh "
        f"--bootstrap-server {_servers(options)} --alter --entity-type topics --entity-name {name} "
        f"--add-config {_POLICY}={_COMPACT}"
    )


def _servers(options: Mapping[str, Any]) -> str:
    servers = options["bootstrap_servers"]
    return servers if isinstance(servers, str) else ",".join(servers)
