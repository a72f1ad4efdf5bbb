# SPDX-License-Identifier: GPL-3.0-or-later
"""The bridge from Faust's streams to the dispatcher: each event of a stream becomes a delivery."""

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Protocol, cast

from faust.types import Message as KafkaMessage

from investigator.agent import MessageType
from investigator.delivery.dead_letters import Headers, origin_of_replay
from investigator.delivery.dispatcher import Dispatcher
from investigator.delivery.ledger import Partition
from investigator.delivery.messages import Delivery
from investigator.delivery.origin import Origin
from investigator.delivery.replay import is_addressed_to
from investigator.delivery.replay_proof import Record, ReplayGuard
from investigator.streaming.assignment_epoch import epoch_of
from investigator.streaming.handler_steps import Handlers, HandlerSteps
from investigator.streaming.ports import EventStream, StreamEvent


class ConsumingApp(Protocol):
    """The state of the Faust application that says whether it still consumes."""

    @property
    def consumer_generation_id(self) -> int:
        """The present generation of the group, as the consumer last learned it."""

    @property
    def should_stop(self) -> bool:
        """Whether the worker is stopping."""


class AgentFactory:
    """Makes the body of each Faust agent, which submits every event of its stream to the dispatcher.

    Args:
        app: the Faust application.
        dispatcher: processes the deliveries.
        handlers: what the messages are handled with.
        replays: decides which messages are replays.
    """

    def __init__(self, app: ConsumingApp, dispatcher: Dispatcher, handlers: Handlers, replays: ReplayGuard) -> None:
        self._app = app
        self._dispatcher = dispatcher
        self._handlers = handlers
        self._replays = replays

    def agent_body(self, message_type: MessageType) -> Callable[[EventStream], Awaitable[None]]:
        """Return the function that a Faust agent runs for one message type."""

        async def consume(stream: EventStream) -> None:
            async for event in stream.noack().events():
                await self._submit(message_type, event)

        return consume

    async def _submit(self, message_type: MessageType, event: StreamEvent) -> None:
        delivery = self._delivery(message_type, event)
        is_consuming = partial(self._is_consuming, event.message.generation_id)
        await self._dispatcher.submit(delivery, is_consuming=is_consuming)

    def _is_consuming(self, generation: int | None) -> bool:
        """Return whether the worker is still in the generation of the group in which it fetched a message."""
        return generation == self._app.consumer_generation_id and not self._app.should_stop

    def _delivery(self, message_type: MessageType, event: StreamEvent) -> Delivery:
        message = event.message
        headers = self._trusted_headers(message_type, message)
        origin = origin_of_replay(headers) or _origin(message)
        return Delivery(
            topic=message_type.base_name,
            partition=Partition(message.topic, message.partition),
            offset=message.offset,
            key=message.key,
            origin=origin,
            make_steps=HandlerSteps(self._handlers, message_type, message.value, origin, headers).make,
            value=message.value,
            headers=headers,
            timestamp_type=message.timestamp_type,
            epoch=epoch_of(message),
            is_for_other_group=not is_addressed_to(self._handlers.group, headers),
        )

    def _trusted_headers(self, message_type: MessageType, message: KafkaMessage) -> Headers:
        record = Record(message.topic, message.key, message.value, _headers(message))
        return self._replays.trusted_headers(message_type.base_name, _origin(message), record)


def _headers(message: KafkaMessage) -> Headers:
    # aiokafka returns pairs, whatever else Faust's annotation allows.
    return tuple(cast("Headers", message.headers or ()))


def _origin(message: KafkaMessage) -> Origin:
    return Origin(message.topic, message.partition, message.offset, round((message.timestamp or 0) * 1000))
