# SPDX-License-Identifier: GPL-3.0-or-later
"""A worker warns if a topic no longer holds the offset at which its group goes on."""

import logging
from collections.abc import Iterator

import pytest
from aiokafka.structs import TopicPartition

from investigator.kafka.patches.offset_out_of_range import warn_on_offset_out_of_range
from tests.unit.kafka.stub_broker import OFFSET_OUT_OF_RANGE, Answer, StubBroker, batch, fetching

PARTITION = TopicPartition("expired", 3)
_LOGGER = logging.getLogger("aiokafka.consumer.fetcher")


@pytest.fixture(autouse=True)
def logger() -> Iterator[logging.Logger]:
    """Return aiokafka's logger, which is as it was after the test."""
    level, filters = _LOGGER.level, _LOGGER.filters[:]
    yield _LOGGER
    _LOGGER.setLevel(level)
    _LOGGER.filters[:] = filters


async def test_aiokafka_mentions_it_and_the_worker_warns(caplog: pytest.LogCaptureFixture) -> None:
    """The line names topic, partition, offset and the setting that decides where the group goes on."""
    warn_on_offset_out_of_range("earliest")
    broker = StubBroker({PARTITION: [Answer(error=OFFSET_OUT_OF_RANGE)]})
    async with fetching(broker, PARTITION, auto_offset_reset="earliest") as running:
        state = running._subscriptions.subscription.assignment.state_value(PARTITION)
        await running.fetched_records({PARTITION}, timeout=0.1)
        assert state.awaiting_reset
    record = caplog.records[0]
    assert record.levelno == logging.WARNING
    assert record.getMessage().startswith("Committed offset is gone")
    assert "topic=expired partition=3 offset=0" in record.getMessage()
    assert "KAFKA_CONSUMER_AUTO_OFFSET_RESET=earliest" in record.getMessage()


async def test_other_lines_of_the_fetcher_stay_as_they_are(caplog: pytest.LogCaptureFixture) -> None:
    """Also if several consumers of a process ask for the warning."""
    warn_on_offset_out_of_range("latest")
    warn_on_offset_out_of_range("earliest")
    _LOGGER.info("Fetched %s", "something")
    assert caplog.messages == ["Fetched something"]
    assert caplog.records[0].levelno == logging.INFO


async def test_a_fetch_that_succeeds_warns_of_nothing(caplog: pytest.LogCaptureFixture) -> None:
    """The usual case."""
    warn_on_offset_out_of_range("earliest")
    async with fetching(StubBroker({PARTITION: [Answer(batch(b"a"))]}), PARTITION) as running:
        assert await running.fetched_records({PARTITION}, timeout=5)
    assert caplog.messages == []
