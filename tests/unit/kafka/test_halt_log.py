# SPDX-License-Identifier: GPL-3.0-or-later
import asyncio
import gc
from collections.abc import AsyncGenerator, Sequence
from types import SimpleNamespace
from typing import Any

import pytest

from investigator.delivery.halt_coordinator import HaltCoordinator
from investigator.delivery.halts import FailedMessage
from investigator.kafka.halt_log import KafkaHaltLog
from investigator.kafka.producer import DurableProducer
from investigator.kafka.topic_reader import Polled, TopicReader
from sandbox.tcp_ports import HOST, free_port


async def test_an_outage_leaves_no_client_open(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The halt log makes a client each second while the broker is unavailable, and has to close every one.

    A client that is not closed warns when it is collected, and pytest makes an error of that.
    """
    monkeypatch.setattr("investigator.kafka.halt_log._RETRY_SECONDS", 0.05)
    options = {"bootstrap_servers": f"{HOST}:{free_port()}"}
    producer = DurableProducer(options, idempotent=False, max_message_bytes=1000)
    log = KafkaHaltLog("halts", "group", TopicReader(options), producer)
    log.feed(HaltCoordinator(log, "worker", lambda: 0.0))
    async with producer, log:
        while caplog.text.count("Could not read the halt log") < 2:  # noqa: ASYNC110  there is no event for it
            await asyncio.sleep(0.05)
    caplog.clear()  # the log records hold the errors, and these the clients
    gc.collect()


class FakeReader(TopicReader):
    """Yields scripted polls, then empty ones; knows whether the topic exists."""

    def __init__(self, polls: Sequence[Polled] = (), topics: Sequence[bool] = ()) -> None:
        super().__init__({})
        self._polls = list(polls)
        self._exists = list(topics)
        self.checks = 0

    async def topics(self) -> dict[str, frozenset[int]]:
        """Return the topic, or nothing."""
        self.checks += 1
        exists = self._exists.pop(0) if self._exists else True
        return {"halts": frozenset({0})} if exists else {}

    async def follow(self, _topic: str, _number: int, _first: int = 0) -> AsyncGenerator[Polled, None]:
        """Yield the polls."""
        while True:
            await asyncio.sleep(0.01)
            yield self._polls.pop(0) if self._polls else Polled([], 3)


def record(offset: int, key: bytes | None, value: bytes | None) -> Any:  # noqa: ANN401  stands for an untyped class
    """Return a record of the log."""
    return SimpleNamespace(offset=offset, key=key, value=value, headers=())


def halt_log(reader: TopicReader, counted: list[int]) -> tuple[KafkaHaltLog, HaltCoordinator]:
    """Return a log that reads through the reader, and writes to no broker."""
    producer = DurableProducer({"bootstrap_servers": f"{HOST}:{free_port()}"}, idempotent=False, max_message_bytes=1000)
    log = KafkaHaltLog("halts", "g", reader, producer, lambda: counted.append(1))
    coordinator = HaltCoordinator(log, "worker", lambda: 0.0)
    log.feed(coordinator)
    return log, coordinator


async def test_odd_records_are_counted_and_passed_over(caplog: pytest.LogCaptureFixture) -> None:
    """The halts between them count, the warnings are bounded, and no warning shows the content."""
    odd = [record(number, b'["g",["secret"]]', b"[" * 100_000) for number in range(100)]
    halt = record(100, b'["g","topic"]', b'{"since": 1, "by": "operator", "cause": null, "action": null}')
    odd_value = record(101, b'["g","other"]', b'{"since": "secret"}')
    counted: list[int] = []
    log, coordinator = halt_log(FakeReader([Polled([*odd, halt, odd_value], 102)]), counted)
    async with log:
        while not coordinator.table.topics():  # noqa: ASYNC110  there is no event for it
            await asyncio.sleep(0.01)
        await log.sleep(0.01)
    assert coordinator.is_halted("topic")
    assert not coordinator.is_halted("other")
    assert len(counted) == 101
    assert caplog.text.count("Passed over an invalid record of the halt log") == 20
    assert "secret" not in caplog.text


@pytest.mark.parametrize(
    "reader",
    [
        FakeReader([Polled([record(2, b'["g","topic"]', None)], 3), Polled([], 0)]),
        FakeReader([Polled([record(2, None, None)], 3)], topics=[True, False, False]),
    ],
    ids=["recreated", "deleted"],
)
async def test_a_worker_ends_when_the_topic_of_the_log_was_deleted(
    reader: FakeReader, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Otherwise other workers would not learn of its halts. The log line names the topic and the halts."""
    monkeypatch.setattr("investigator.kafka.halt_log._CHECK_SECONDS", 0.05)
    log, coordinator = halt_log(reader, [])
    coordinator.halt("topic", cause=FailedMessage(0, 1, 0, "bad", 5))
    async with log:
        while not log.crashed:  # noqa: ASYNC110  there is no event for it
            await asyncio.sleep(0.01)
    assert "The topic of the halt log is lost" in caplog.text
    assert "Crashed reason=HaltLogLostError" in caplog.text


async def test_a_topic_that_is_missing_once_is_not_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    """A broker that has just started may not know all topics."""
    monkeypatch.setattr("investigator.kafka.halt_log._CHECK_SECONDS", 0.01)
    reader = FakeReader(topics=[False, True, False, True])
    log, _ = halt_log(reader, [])
    async with log:
        while reader.checks < 6:  # noqa: ASYNC110  there is no event for it
            await asyncio.sleep(0.01)
        assert not log.crashed
