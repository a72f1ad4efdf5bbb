# SPDX-License-Identifier: GPL-3.0-or-later
"""The way of an event from a stream of Faust into the dispatcher."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

import pytest
from faust.types.tuples import ConsumerMessage
from typing_extensions import Self

from investigator.agent import MessageType
from investigator.delivery.dead_letters import REPLAYED_FOR, REPLAYS, Headers
from investigator.delivery.messages import Delivery
from investigator.delivery.origin import Origin
from investigator.delivery.replay_proof import Record, ReplayGuard, ReplayProof
from investigator.streaming.assignment_epoch import with_epoch
from investigator.streaming.handler_steps import Handlers
from investigator.streaming.intake import AgentFactory
from investigator.streaming.parser import Parser
from tests.support.delivery_fakes import TOPIC
from tests.support.delivery_worker import ZERO, Worker, run_until
from tests.support.sample_record import Sample
from tests.support.virtual_time import in_virtual_time

if TYPE_CHECKING:
    from investigator.agent.context import Services

TIMESTAMP_MS = 1_600_000_000_123
PROOF = ReplayProof("a key of the deployment, 32 characters")
ORIGINAL = Origin(ZERO.topic, 3, 41, TIMESTAMP_MS - 1)
CLAIM: Headers = (
    ("kafka_dlt-original-topic", ORIGINAL.topic.encode()),
    ("kafka_dlt-original-partition", ORIGINAL.partition.to_bytes(4, "big")),
    ("kafka_dlt-original-offset", ORIGINAL.offset.to_bytes(8, "big")),
    ("kafka_dlt-original-timestamp", ORIGINAL.timestamp_ms.to_bytes(8, "big")),
    (REPLAYS, b"\x00\x00\x00\x01"),
)


def proved(*headers: tuple[str, bytes | None]) -> Headers:
    """Return the headers of a replay as the replay command writes them."""
    claim = (*CLAIM, *headers)
    return (*claim, *PROOF.header(Record(ZERO.topic, b"key", b"value", claim)))


@dataclass
class FakeApp:
    """A Faust application in a generation of its group."""

    consumer_generation_id: int = 1
    should_stop: bool = False


@dataclass
class FakeEvent:
    """An event of a stream, whose value is no record."""

    message: ConsumerMessage


class FakeStream:
    """A stream that ends after its events."""

    def __init__(self, events: Sequence[FakeEvent]) -> None:
        self._events = events

    def noack(self) -> Self:
        """Return the stream itself."""
        return self

    async def events(self) -> AsyncIterator[FakeEvent]:
        """Yield the events."""
        for event in self._events:
            yield event


def fetch(worker: Worker, offset: int, headers: Headers = ()) -> FakeEvent:
    """Return the event of a message that the consumer fetches now."""
    seconds = TIMESTAMP_MS / 1000
    message = ConsumerMessage(
        *ZERO, offset, seconds, 0, cast("Any", list(headers)), b"key", b"value", None, generation_id=1
    )
    return FakeEvent(with_epoch(message, worker.dispatcher.ledger.epoch(ZERO)))


async def consume(worker: Worker, app: FakeApp, *events: FakeEvent) -> list[Delivery]:
    """Run the body of the topic's agent on a stream; return the deliveries that failed, as all of them do."""
    parser = Parser(lambda _record: pytest.fail("no value here is a record"))
    handlers = Handlers("investigator", (), lambda: cast("Services", None), parser)
    guard = ReplayGuard(PROOF, lambda _topic: None)
    message_type = MessageType(TOPIC, Sample, ("v1",), {})
    body = AgentFactory(app, worker.dispatcher, handlers, guard).agent_body(message_type)
    worker.dead_letters.accepted_topics = {TOPIC}
    await body(FakeStream(events))
    await run_until(10)
    return [delivery for delivery, _ in worker.dead_letters.published]


@in_virtual_time
async def test_an_event_becomes_a_delivery_with_everything_that_kafka_knows_of_the_message() -> None:
    """A dead letter is published from it, so nothing may be missing."""
    worker = Worker()
    [delivery] = await consume(worker, FakeApp(), fetch(worker, 7, (("trace-id", b"1"),)))
    assert (delivery.topic, delivery.partition, delivery.offset) == (TOPIC, ZERO, 7)
    assert (delivery.key, delivery.value, delivery.headers) == (b"key", b"value", (("trace-id", b"1"),))
    assert delivery.origin == Origin(*ZERO, 7, TIMESTAMP_MS)
    assert (delivery.timestamp_type, delivery.epoch) == (0, worker.dispatcher.ledger.epoch(ZERO))


@in_virtual_time
async def test_a_replay_has_the_origin_of_the_original_message() -> None:
    """Workflow ids are derived from it."""
    worker = Worker()
    [delivery] = await consume(worker, FakeApp(), fetch(worker, 7, proved((REPLAYED_FOR, b"investigator"))))
    assert (delivery.origin, delivery.offset) == (ORIGINAL, 7)


@in_virtual_time
async def test_a_replay_for_another_group_is_finished_without_a_step() -> None:
    """It fails here if a step runs; the same headers without a proof do not stop a message from being handled."""
    worker = Worker()
    for_others = ((REPLAYED_FOR, b"nobody"),)
    events = (fetch(worker, 7, proved(*for_others)), fetch(worker, 8, (*CLAIM, *for_others)))
    [handled] = await consume(worker, FakeApp(), *events)
    assert (handled.offset, handled.is_for_other_group) == (8, False)
    assert worker.commit_offset() == 9


@in_virtual_time
async def test_a_forged_replay_has_the_identity_of_its_own_position() -> None:
    """Otherwise it would get the workflow of the message that it names, which then counts as processed and is lost."""
    worker = Worker()
    [delivery] = await consume(worker, FakeApp(), fetch(worker, 7, (("trace-id", b"1"), *CLAIM)))
    assert delivery.origin == Origin(*ZERO, 7, TIMESTAMP_MS)
    assert delivery.headers == (("trace-id", b"1"), *CLAIM[:-1])


@pytest.mark.parametrize("app", [FakeApp(consumer_generation_id=2), FakeApp(should_stop=True)])
def test_a_message_is_dropped_when_the_consumer_no_longer_consumes_it(app: FakeApp) -> None:
    """The worker stops, or the group has a new generation, in which the message is fetched again."""

    @in_virtual_time
    async def scenario() -> None:
        worker = Worker()
        assert await consume(worker, app, fetch(worker, 7)) == []
        assert worker.commit_offset() is None

    scenario()


@in_virtual_time
async def test_a_message_that_was_buffered_while_its_topic_was_recreated_is_dropped() -> None:
    """It carries the epoch in which it was fetched; the generation of the group may be the same."""
    worker = Worker()
    buffered = fetch(worker, 7)
    worker.dispatcher.assign([ZERO])
    [delivery] = await consume(worker, FakeApp(), buffered, fetch(worker, 0))
    assert delivery.offset == 0
    assert worker.commit_offset() == 1
