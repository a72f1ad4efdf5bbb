# SPDX-License-Identifier: GPL-3.0-or-later
"""The bridge between Faust's streams and the delivery engine: events become deliveries, handlers their steps."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, cast

import faust
from faust.streams import Stream
from faust.types import EventT
from faust.types import Message as KafkaMessage

from investigator.agent import Handler, Message, MessageType, Mode
from investigator.agent.context import Services, Work
from investigator.agent.message import UnknownVersionError
from investigator.delivery.dead_letters import Headers, origin_of_replay
from investigator.delivery.dispatcher import Dispatcher
from investigator.delivery.errors import PermanentError
from investigator.delivery.ledger import Partition
from investigator.delivery.messages import Delivery
from investigator.delivery.origin import Origin
from investigator.delivery.replay import is_addressed_to
from investigator.delivery.retry import Step
from investigator.observability.metrics import message_type as label_of
from investigator.streaming.assignment_epoch import epoch_of


def _headers(message: KafkaMessage) -> Headers:
    # aiokafka gives pairs, whatever else Faust's annotation allows.
    return tuple(cast("Headers", message.headers or ()))


def _place(message: KafkaMessage) -> Origin:
    return Origin(message.topic, message.partition, message.offset, round((message.timestamp or 0) * 1000))


async def _count(message_type: MessageType, record: Message, work: Work) -> None:
    work.metrics.message_count_by_version.labels(label_of(message_type.base_name), record.version).inc()


class AgentFactory:
    """Makes the body of each Faust agent, which hands every event of its stream to the dispatcher.

    Args:
        app: the Faust application.
        dispatcher: handles the messages.
        services: gives what handlers use; asked for at the first message, not while things are built.
        modes: the modes that are on, in the order in which a message's handlers run.
    """

    def __init__(
        self, app: faust.App, dispatcher: Dispatcher, services: Callable[[], Services], modes: tuple[Mode, ...]
    ) -> None:
        self._app = app
        self._dispatcher = dispatcher
        self._services = services
        self._modes = modes

    def agent_body(self, message_type: MessageType) -> Callable[[Stream[Any]], Awaitable[None]]:
        """Make what a Faust agent runs for one message type."""

        async def consume(stream: Stream[Any]) -> None:
            async for event in stream.noack().events():
                await self._take(message_type, event)

        return consume

    async def _take(self, message_type: MessageType, event: EventT[Any]) -> None:
        message = event.message
        generation, page = message.generation_id, epoch_of(message)
        partition = Partition(message.topic, message.partition)

        def is_current() -> bool:
            is_of_now = generation == self._app.consumer_generation_id and page == self._dispatcher.ledger.epoch(
                partition
            )
            return is_of_now and not self._app.should_stop

        await self._dispatcher.submit(self._delivery(message_type, event), is_current=is_current)

    def _delivery(self, message_type: MessageType, event: EventT[Any]) -> Delivery:
        message = event.message
        headers = _headers(message)
        origin = origin_of_replay(headers) or _place(message)
        return Delivery(
            topic=message_type.base_name,
            partition=Partition(message.topic, message.partition),
            offset=message.offset,
            key=message.key,
            origin=origin,
            steps=self._steps(message_type, cast("Message | PermanentError", event.value), origin, headers),
            value=message.value,
            headers=headers,
            timestamp_type=message.timestamp_type,
        )

    def _steps(
        self, message_type: MessageType, content: Message | PermanentError, origin: Origin, headers: Headers
    ) -> Callable[[], Sequence[Step]]:
        def steps() -> Sequence[Step]:
            if headers and not is_addressed_to(self._app.conf.id, headers):
                return []  # given up by another group, while this one handled it long ago
            if isinstance(content, PermanentError):
                return [self._refusal(message_type, content)]
            work = Work(message_type.base_name, origin, self._services())
            return [self._step(mode, message_type, content, work) for mode in self._modes_of(message_type)]

        return steps

    def _modes_of(self, message_type: MessageType) -> tuple[Mode, ...]:
        return tuple(mode for mode in self._modes if mode in message_type.handlers or mode is Mode.METRICS)

    def _step(self, mode: Mode, message_type: MessageType, record: Message, work: Work) -> Step:
        handler: Handler | None = message_type.handlers.get(mode)

        async def run() -> None:
            if mode is Mode.METRICS:
                await work.once("count the message", lambda: _count(message_type, record, work))
            if handler is not None:
                await handler(record, work)

        return run

    def _refusal(self, message_type: MessageType, error: PermanentError) -> Step:
        async def refuse() -> None:
            if isinstance(error, UnknownVersionError):
                self._services().metrics.missing_handler.labels(message_type.base_name, error.version).inc()
            raise error

        return refuse
