# SPDX-License-Identifier: GPL-3.0-or-later
"""The steps of a delivery: what a worker runs for one message, in order, each until it succeeds once."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

from investigator.agent import Message, MessageType, Mode
from investigator.agent.context import Services, Work
from investigator.agent.message import UnknownVersionError
from investigator.delivery.dead_letters import Headers
from investigator.delivery.errors import PermanentError
from investigator.delivery.origin import Origin
from investigator.delivery.replay import is_addressed_to
from investigator.delivery.retry import Step
from investigator.observability.metrics import message_type as label_of

#: What `ErrorHandlingSchema` makes of the value of a message.
Content = Message | PermanentError


@dataclass(frozen=True)
class Handlers:
    """What all messages of a worker are handled with.

    Args:
        group: the consumer group of the worker.
        modes: the modes that are on, in the order in which a message's handlers run.
        services: returns what handlers use; called at the first message, not while the application is built.
    """

    group: str
    modes: tuple[Mode, ...]
    services: Callable[[], Services]


@dataclass(frozen=True)
class HandlerSteps:
    """Makes the steps of a delivery from its record, or from the error that says why its value is no record.

    Args:
        handlers: what the messages are handled with.
        message_type: the type of the message.
        content: the record, or the error.
        origin: the identity of the message.
        headers: the headers of the message.
    """

    handlers: Handlers
    message_type: MessageType
    content: Content
    origin: Origin
    headers: Headers

    def make(self) -> Sequence[Step]:
        """Return the steps; none for a replay that is addressed to another group, which alone failed at it."""
        if self.headers and not is_addressed_to(self.handlers.group, self.headers):
            return []
        if isinstance(self.content, PermanentError):
            return [partial(self._reject, self.content)]
        work = Work(self.message_type.base_name, self.origin, self.handlers.services())
        return list(self._steps(self.content, work))

    def _steps(self, record: Message, work: Work) -> Iterator[Step]:
        for mode in self.handlers.modes:
            if mode is Mode.METRICS:
                yield partial(self._count, record)
            if (handler := self.message_type.handlers.get(mode)) is not None:
                yield partial(handler, record, work)

    async def _count(self, record: Message) -> None:
        metrics = self.handlers.services().metrics
        metrics.message_count_by_version.labels(label_of(self.message_type.base_name), record.version).inc()

    async def _reject(self, error: PermanentError) -> None:
        if isinstance(error, UnknownVersionError):
            metrics = self.handlers.services().metrics
            metrics.missing_handler.labels(self.message_type.base_name, error.version).inc()
        raise error
