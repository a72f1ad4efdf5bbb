# SPDX-License-Identifier: GPL-3.0-or-later
"""The decorator that registers a function as the handler of a message type in one mode.

    @agent("thoth.repo-init", mode=Mode.BACKEND)
    async def initialize(message: RepoInit, work: Work) -> None: ...

The registry is the only list of message types. Topics, Faust agents, metrics and the reference pages are derived from
it, so a new message type is one new file. Handlers contain no retries: the worker repeats them, and decides what
happens to a message whose retries are exhausted.
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
    """A type of message.

    Attributes:
        base_name: the topic's name without the prefix of the deployment.
        record: the class that values are parsed into.
        versions: the versions that the handlers know.
        handlers: the handler of each mode that has one.
    """

    base_name: str
    record: type[Message]
    versions: tuple[str, ...]
    handlers: Mapping[Mode, Handler]

    def parse(self, value: bytes | None) -> Message:
        """Parse the value of a Kafka message into the record; raise PermanentError if it does not fit."""
        return parse(self.record, self.base_name, self.versions, value)

    def has_work_in(self, modes: tuple[Mode, ...]) -> bool:
        """Return whether a worker with these modes consumes the topic; metrics mode counts messages of every topic."""
        return Mode.METRICS in modes or any(mode in self.handlers for mode in modes)


MESSAGE_TYPES: dict[str, MessageType] = {}


def agent(
    base_name: str,
    *,
    mode: Mode,
    versions: tuple[str, ...] = ("v1",),
    registry: dict[str, MessageType] = MESSAGE_TYPES,
) -> Callable[[H], H]:
    """Register the decorated function as the handler of a topic's messages in a mode.

    Args:
        base_name: the topic's name without the prefix of the deployment.
        mode: the mode in which workers call the handler.
        versions: the versions of the message that the handler knows.
        registry: the registry to add it to; by default that of the application.

    Raises:
        TypeError: the declaration is invalid, or contradicts another handler of the same message type.
    """

    def register(handler: H) -> H:
        new = MessageType(base_name, _record_of(handler), versions, {mode: handler})
        registry[base_name] = _merged(registry[base_name], new) if base_name in registry else new
        return handler

    return register


def _record_of(handler: Handler) -> type[Message]:
    first = next(iter(inspect.signature(handler).parameters))
    record = get_type_hints(handler)[first]
    if not (isinstance(record, type) and issubclass(record, Message)):
        raise TypeError(f"{handler.__qualname__}: the first parameter must be annotated with a record of the message")
    if not isinstance(record.aliases, Mapping):
        # Faust treats an attribute that is annotated with a bare ClassVar as a field of the message.
        raise TypeError(f"{record.__qualname__}: annotate aliases with ClassVar[Mapping[str, str]]")
    return record


def _merged(old: MessageType, new: MessageType) -> MessageType:
    if (old.record, old.versions) != (new.record, new.versions):
        raise TypeError(f"{new.base_name}: all handlers of a message type share one record and its versions")
    if twice := old.handlers.keys() & new.handlers.keys():
        raise TypeError(f"{new.base_name}: two handlers for mode {', '.join(sorted(twice))}")
    return replace(old, handlers={**old.handlers, **new.handlers})
