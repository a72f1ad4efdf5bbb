# SPDX-License-Identifier: GPL-3.0-or-later
"""The decorator that makes a handler of a message type: topic, record, versions and mode in one place.

    @agent("thoth.repo-init", mode=Mode.BACKEND)
    async def initialize(message: RepoInit, work: Work) -> None: ...

It only declares. The Faust agents, their topics, the metrics and the documents about the messages are all derived from
what was declared here, so that a new message type is one new file. Retries and ack-on-fail are the business of the
delivery engine behind every agent, never of a handler.
"""

import inspect
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, TypeVar, get_type_hints

from investigator.agent.context import Work
from investigator.agent.message import Message, parse
from investigator.settings.modes import Mode

Handler = Callable[[Any, Work], Awaitable[None]]
H = TypeVar("H", bound=Handler)


@dataclass(frozen=True)
class MessageType:
    """One type of message: its base name, record, known versions, and what each mode does with it."""

    base_name: str
    record: type[Message]
    versions: tuple[str, ...]
    handlers: Mapping[Mode, Handler]

    def parse(self, value: bytes | None) -> Message:
        """Turn the value of a Kafka message into the record; raises PermanentError where it does not fit."""
        return parse(self.record, self.base_name, self.versions, value)

    def has_work_in(self, modes: tuple[Mode, ...]) -> bool:
        """Tell whether a worker with these modes consumes the topic; metrics mode counts all messages."""
        return Mode.METRICS in modes or any(mode in self.handlers for mode in modes)


MESSAGE_TYPES: dict[str, MessageType] = {}


def agent(
    base_name: str,
    *,
    mode: Mode,
    versions: tuple[str, ...] = ("v1",),
    registry: dict[str, MessageType] = MESSAGE_TYPES,
) -> Callable[[H], H]:
    """Declare that the decorated function handles the messages of a topic in a mode.

    Args:
        base_name: the topic's name without the prefix of the deployment.
        mode: a worker runs the handler only if this mode is on.
        versions: the versions of the message that the handler knows.
        registry: where to declare it; the application's own by default.

    Raises:
        TypeError: when what is declared contradicts itself or an earlier declaration of the same message type.
    """

    def declare(handler: H) -> H:
        new = MessageType(base_name, _record_of(handler), versions, {mode: handler})
        registry[base_name] = _merged(registry[base_name], new) if base_name in registry else new
        return handler

    return declare


def _record_of(handler: Handler) -> type[Message]:
    first = next(iter(inspect.signature(handler).parameters))
    record = get_type_hints(handler)[first]
    if not (isinstance(record, type) and issubclass(record, Message)):
        raise TypeError(f"{handler.__qualname__}: the first parameter must be annotated with a record of the message")
    if not isinstance(record.aliases, Mapping):
        # Faust takes a bare ClassVar for a field of the message.
        raise TypeError(f"{record.__qualname__}: annotate aliases with ClassVar[Mapping[str, str]]")
    return record


def _merged(old: MessageType, new: MessageType) -> MessageType:
    if (old.record, old.versions) != (new.record, new.versions):
        raise TypeError(f"{new.base_name}: all handlers of a message type share one record and its versions")
    if twice := old.handlers.keys() & new.handlers.keys():
        raise TypeError(f"{new.base_name}: two handlers for mode {', '.join(sorted(twice))}")
    return replace(old, handlers={**old.handlers, **new.handlers})
