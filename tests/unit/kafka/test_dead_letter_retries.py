# SPDX-License-Identifier: GPL-3.0-or-later
"""A dead letter that is due while the brokers are unavailable is written when they answer again."""

import asyncio

import pytest
from aiokafka.errors import (
    InvalidReplicationFactorError,
    KafkaConnectionError,
    KafkaError,
    KafkaTimeoutError,
    MessageSizeTooLargeError,
    NotEnoughReplicasError,
    ProducerClosed,
    RequestTimedOutError,
    TopicAuthorizationFailedError,
)
from prometheus_client import CollectorRegistry

from investigator.delivery.errors import PermanentError
from investigator.delivery.ledger import Partition
from investigator.delivery.messages import Delivery
from investigator.delivery.origin import Origin
from investigator.delivery.retry import Failure
from investigator.kafka.dead_letter_publisher import DeadLetterPublisher
from investigator.kafka.producer import DurableProducer, RecordLocation
from investigator.observability.metrics import Metrics
from investigator.settings import load_settings
from tests.support.delivery_fakes import now
from tests.support.required_settings import REQUIRED
from tests.support.virtual_time import in_virtual_time


class Producer(DurableProducer):
    """A producer of brokers that fail until some time, and which keeps what it wrote."""

    def __init__(self, error: Exception, until: float) -> None:
        super().__init__({}, idempotent=False, max_message_bytes=1000)
        self.written: list[float] = []
        self.tries = 0
        self._error = error
        self._until = until

    async def partitions(self, _topic: str) -> frozenset[int]:
        """Return one partition."""
        return frozenset({0})

    async def write(self, *_content: object, **_options: object) -> RecordLocation:
        """Fail, or write the record."""
        self.tries += 1
        if now() < self._until:
            raise self._error
        self.written.append(now())
        return RecordLocation(0, 0)


async def create_topic(_name: str, _partitions: int) -> None:
    """Create nothing: the topic exists."""


def publish(producer: Producer) -> "asyncio.Task[None]":
    """Begin to publish a dead letter."""
    publisher = DeadLetterPublisher(load_settings(REQUIRED), producer, create_topic, str, Metrics(CollectorRegistry()))
    origin = Origin("stage.thoth.repo-init", 0, 7, 0)
    delivery = Delivery("thoth.repo-init", Partition(origin.topic, 0), 7, None, origin, list, b"{}")
    return asyncio.create_task(publisher.publish(delivery, Failure(PermanentError("wrong"), 1)))


@pytest.mark.parametrize("seconds", [0.5, 45, 7200])
@pytest.mark.parametrize(
    "error",
    [
        KafkaConnectionError("gone"),
        KafkaTimeoutError("slow"),
        RequestTimedOutError("slow"),
        NotEnoughReplicasError("one of three"),
        InvalidReplicationFactorError("one of three"),
        ProducerClosed("replaced"),
        KafkaError("unknown"),
        ConnectionResetError("reset"),
    ],
    ids=repr,
)
@in_virtual_time
async def test_an_outage_of_any_length_is_waited_for(error: Exception, seconds: float) -> None:
    """The pauses grow, so that an hour costs a hundred tries, and the dead letter is late by half a minute at most."""
    producer = Producer(error, until=seconds)
    await publish(producer)
    (written,) = producer.written
    assert seconds <= written <= seconds + 30
    assert producer.tries <= 10 + seconds / 30


@pytest.mark.parametrize(
    "error", [TopicAuthorizationFailedError("denied"), MessageSizeTooLargeError("large")], ids=repr
)
@in_virtual_time
async def test_a_refusal_is_not_repeated(error: KafkaError) -> None:
    """An operator has to act: the topic is halted instead."""
    producer = Producer(error, until=100)
    with pytest.raises(type(error)):
        await publish(producer)
    assert producer.tries == 1


@in_virtual_time
async def test_a_revocation_ends_the_wait() -> None:
    """The next owner of the partition writes the dead letter."""
    producer = Producer(KafkaConnectionError("gone"), until=100)
    task = publish(producer)
    await asyncio.sleep(50)
    task.cancel()
    await asyncio.wait([task])
    assert task.cancelled()
    await asyncio.sleep(100)
    assert not producer.written
