# SPDX-License-Identifier: GPL-3.0-or-later
"""The steps of a delivery: what a worker runs for one message, in order, each until it succeeds once."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial

from investigator.agent import Message, MessageType, Mode
from investigator.agent.context import Services, Work
from investigator.agent.decorator import Handler
from investigator.agent.message import UnknownVersionError
from investigator.delivery.dead_letters import Headers
from investigator.delivery.origin import Origin
from investigator.delivery.replay import is_addressed_to
from investigator.delivery.retry import Step
from investigator.observability.metrics import message_type as label_of
from investigator.streaming.parser import Parser


@dataclass(frozen=True)
class Handlers:
    """What all messages of a worker are handled with.

    Args:
        group: the consumer group of the worker.
        modes: the modes that are on, in the order in which a message's handlers run.
        services: returns what handlers use; called at the first message, not while the application is built.
        parser: parses the values.
    """

    group: str
    modes: tuple[Mode, ...]
    services: Callable[[], Services]
    parser: Parser


@dataclass
class HandlerSteps:
    """Makes the steps of a delivery: the first one parses its value, the others handle the record.

    Args:
        handlers: what the messages are handled with.
        message_type: the type of the message.
        value: the value of the message.
        origin: the identity of the message.
        headers: the headers of the message.
    """

    handlers: Handlers
    message_type: MessageType
    value: bytes | None
    origin: Origin
    headers: Headers
    _record: Message | None = field(default=None, init=False)
    _version: str = field(default="", init=False)

    def make(self) -> Sequence[Step]:
        """Return the steps; none for a replay that is addressed to another group, which alone failed at it."""
        if self.headers and not is_addressed_to(self.handlers.group, self.headers):
            return []
        work = Work(self.message_type.base_name, self.origin, self.handlers.services())
        return [self._parse, *self._steps(work)]

    def _steps(self, work: Work) -> Iterator[Step]:
        for mode in self.handlers.modes:
            if mode is Mode.METRICS:
                yield self._count
            if (handler := self.message_type.handlers.get(mode)) is not None:
                yield partial(self._handle, handler, work)

    async def _parse(self) -> None:
        try:
            self._record = await self.handlers.parser.parse(self.message_type, self.value)
            self._version = self._record.version
        except UnknownVersionError as error:
            self._version = error.version
            self._report_unknown_version()
            # A worker that only counts has counted the message, and leaves the failure to the other modes.
            if self.handlers.modes != (Mode.METRICS,):
                raise

    def _report_unknown_version(self) -> None:
        metrics = self.handlers.services().metrics
        metrics.missing_handler.labels(self.message_type.base_name, self._version).set(1)
        metrics.unknown_versions.labels(self.message_type.base_name, self._version).inc()

    async def _handle(self, handler: Handler, work: Work) -> None:
        if self._record is not None:
            await handler(self._record, work)

    async def _count(self) -> None:
        metrics = self.handlers.services().metrics
        metrics.message_count_by_version.labels(label_of(self.message_type.base_name), self._version).inc()
