# SPDX-License-Identifier: GPL-3.0-or-later
"""The permissions in Kafka that producers, workers and operators need, and no others.

The check before the start of a worker and the page docs/reference/kafka.md come from these lists.
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass

from investigator.delivery.dead_letters import dead_letter_topic


@dataclass(frozen=True)
class Permission:
    """One operation on one resource.

    Attributes:
        operation: Kafka's name of the operation.
        resource: Kafka's type of the resource.
        name: the name of the resource.
        purpose: what fails without it.
        required: whether a worker checks it before its start; others are only needed at times.
    """

    operation: str
    resource: str
    name: str
    purpose: str
    required: bool = True


def producer_permissions(topics: Collection[str]) -> Iterator[Permission]:
    """Yield the permissions of a producer of messages for these topics."""
    for topic in topics:
        yield Permission("WRITE", "topic", topic, "to send messages")


def worker_permissions(group: str, topics: Collection[str], halts: str) -> Iterator[Permission]:
    """Yield the permissions of a worker.

    Args:
        group: its consumer group.
        topics: the topics of the message types that its modes handle.
        halts: the topic of the halt log.
    """
    yield Permission("READ", "group", group, "to join the group and commit")
    for topic in topics:
        yield Permission("READ", "topic", topic, "to read messages")
    yield Permission("READ", "topic", halts, "to read halts")
    yield Permission("WRITE", "topic", halts, "to write halts and what became of failed messages")
    for topic in topics:
        yield Permission("WRITE", "topic", dead_letter_topic(topic), "to write dead letters")
    for topic in (*topics, halts, *map(dead_letter_topic, topics)):
        yield Permission("CREATE", "topic", topic, "to create the topic, where it is missing", required=False)
    purpose = "to check that the halt log is compacted"
    yield Permission("DESCRIBE_CONFIGS", "topic", halts, purpose, required=False)


def operator_permissions(topics: Collection[str], halts: str, replays: str) -> Iterator[Permission]:
    """Yield the permissions of an operator's commands.

    Args:
        topics: the topics of all message types.
        halts: the topic of the halt log.
        replays: the topic of the replay log.
    """
    yield Permission("READ", "topic", halts, "`halts`, `halt`, `resume`")
    yield Permission("WRITE", "topic", halts, "`halt`, `resume`")
    for topic in topics:
        yield Permission("READ", "topic", dead_letter_topic(topic), "`dead-letters list`, `show`, `replay`")
    yield Permission("READ", "topic", replays, "`dead-letters list`, `show`, `replay`")
    yield Permission("WRITE", "topic", replays, "`dead-letters replay`")
    for topic in topics:
        yield Permission("WRITE", "topic", topic, "`dead-letters replay`")
    for topic in (halts, replays):
        yield Permission("CREATE", "topic", topic, "to create the topic, where it is missing", required=False)
    purpose = "to check that the replay log is compacted"
    yield Permission("DESCRIBE_CONFIGS", "topic", replays, purpose, required=False)


def topics_with(permissions: Collection[Permission], operation: str) -> list[str]:
    """Return the topics for which an operation is required."""
    return [each.name for each in permissions if (each.operation, each.resource) == (operation, "topic")]
