# SPDX-License-Identifier: GPL-3.0-or-later
"""A broker holds fetch requests of an idle worker for long, and those of a busy one for a moment."""

import pytest
from aiokafka.consumer import consumer
from aiokafka.consumer.fetcher import Fetcher
from aiokafka.structs import TopicPartition

from investigator.kafka.patches.fetch_wait import BUSY_WAIT_MS, shorten_fetch_wait_while_busy
from tests.support.polling import until
from tests.unit.kafka.stub_broker import Answer, StubBroker, batch, fetching

BUSY, IDLE = TopicPartition("busy", 0), TopicPartition("idle", 0)


@pytest.fixture
def patched(monkeypatch: pytest.MonkeyPatch) -> type[Fetcher]:
    """Return the class of fetchers that consumers make during the test."""
    monkeypatch.setattr(consumer, "Fetcher", Fetcher)
    shorten_fetch_wait_while_busy()
    return consumer.Fetcher  # type: ignore[no-any-return]  # aiokafka has no types


async def test_the_wait_is_short_while_records_of_a_topic_are_buffered(patched: type[Fetcher]) -> None:
    """The request that leaves the busy topic out must end before the worker has consumed the buffered records."""
    broker = StubBroker({BUSY: [Answer(batch(b"a"))]})
    async with fetching(broker, BUSY, IDLE, kind=patched, fetch_max_wait_ms=500) as running:
        await until(lambda: len(broker.requests) >= 2)
        assert [request.max_wait_time for request in broker.requests] == [500, BUSY_WAIT_MS]
        assert [topic for topic, _ in broker.requests[1].topics] == ["idle"]
        assert await running.fetched_records({BUSY}, timeout=1)
        assert running._fetch_max_wait_ms == 500


async def test_a_shorter_setting_is_used_as_it_is(patched: type[Fetcher]) -> None:
    """Some brokers need a shorter wait in any case."""
    broker = StubBroker({BUSY: [Answer(batch(b"a"))]})
    async with fetching(broker, BUSY, IDLE, kind=patched, fetch_max_wait_ms=5):
        await until(lambda: len(broker.requests) >= 2)
    assert [request.max_wait_time for request in broker.requests] == [5, 5]


async def test_aiokafka_itself_waits_as_long_while_busy() -> None:
    """The trap itself: it leaves the busy topic out of a request that the broker holds for the full wait."""
    broker = StubBroker({BUSY: [Answer(batch(b"a"))]})
    async with fetching(broker, BUSY, IDLE, fetch_max_wait_ms=500):
        await until(lambda: len(broker.requests) >= 2)
    assert [request.max_wait_time for request in broker.requests] == [500, 500]
    assert [topic for topic, _ in broker.requests[1].topics] == ["idle"]
