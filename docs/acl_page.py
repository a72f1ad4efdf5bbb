# SPDX-License-Identifier: GPL-3.0-or-later
"""The reference page of the permissions in Kafka, from the lists that workers check before they start."""

from collections.abc import Iterable, Iterator

from investigator.agent import MessageType
from investigator.delivery.dead_letters import dead_letter_topic
from investigator.kafka.acl_rules import (
    Permission,
    operator_permissions,
    producer_permissions,
    worker_permissions,
)
from investigator.kafka.topics import HALTS, REPLAYS
from investigator.settings.modes import Mode

INTRODUCTION = """\
What each party needs on an Apache Kafka with an authorizer, and nothing beyond it. `{D}` is THOTH_DEPLOYMENT_NAME.
READ and WRITE include DESCRIBE. [The guide](../kafka.md#permissions) has commands that grant the permissions, and says
what follows when they change."""

PRODUCERS = """\
Grant a producer the topics of the messages that it sends, each by its full name (resource pattern LITERAL). Never grant
it a prefix:

- `{D}.`, `{D}.thoth.` and `{D}.thoth.investigator.` cover the halt log and the replay log. Who writes there halts and
  resumes topics, or hides dead letters from a replay.
- The full name of a topic as a prefix covers its dead-letter topic. Who writes there can have a forged message replayed
  with the identity of another one."""

WORKERS = """\
A worker names what it lacks of the rows that are checked, and does not start. The other rows are needed once: to create
topics, and to read their settings."""

OPERATORS = """\
The user of the commands. It needs no permission on a group. Pages of the worker (`/halt`, `/resume`) use the
permissions of the worker."""

MODES = """\
A worker reads the topics of its modes, and writes their dead-letter topics."""

_D = "{D}."


def permissions_page(types: Iterable[MessageType]) -> Iterator[str]:
    """Yield the parts of the page after its title."""
    yield INTRODUCTION
    message = f"{_D}{{base name}}"
    yield from ("## Producers", PRODUCERS, _table(producer_permissions([message])))
    workers = worker_permissions("KAFKA_CONSUMER_GROUP_ID", [message], _D + HALTS)
    yield from ("## Workers", WORKERS, _table(workers, checked=True))
    yield from ("### Topics by mode", MODES, _modes(types))
    yield from ("## Operators", OPERATORS, _table(operator_permissions([message], _D + HALTS, _D + REPLAYS)))


def _table(permissions: Iterable[Permission], *, checked: bool = False) -> str:
    heads = ["Operation", "Resource", "Purpose", *(["Checked at start"] if checked else [])]
    rows = [_row(each, checked=checked) for each in permissions]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (heads, ["---"] * len(heads), *rows))


def _row(each: Permission, *, checked: bool) -> list[str]:
    resource = f"{each.resource} `{each.name}`"
    return [each.operation, resource, each.purpose, *(["yes" if each.required else "no"] if checked else [])]


def _modes(types: Iterable[MessageType]) -> str:
    rows = [
        [f"`{_D}{each.base_name}`", f"`{dead_letter_topic(_D + each.base_name)}`", _modes_of(each)] for each in types
    ]
    heads = ["READ", "WRITE", "Modes"]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (heads, ["---"] * len(heads), *rows))


def _modes_of(each: MessageType) -> str:
    return ", ".join(mode.value for mode in Mode if each.has_work_in((mode,)))
