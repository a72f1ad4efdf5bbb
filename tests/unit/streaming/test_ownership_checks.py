# SPDX-License-Identifier: GPL-3.0-or-later
"""Checks of ownership leave the consumer's thread free for polls, however many messages have failed."""

import asyncio
from typing import Any, cast

import pytest

from investigator.delivery.ledger import CommitPosition, Partition
from investigator.streaming.application import Investigator, Lifecycle
from investigator.streaming.assignor import GroupSizeAssignor
from investigator.streaming.consumer import ConsumerContext, LedgerConsumer
from tests.support.partition_owner import FakePartitionOwner

PARTITION = Partition("t", 0)


class Brokers:
    """The consumer's thread and the brokers behind it.

    Attributes:
        answer: whether the worker owns the partition; None while the brokers do not answer.
        running: how many checks are under way.
        most: the highest number of these.
    """

    def __init__(self) -> None:
        self.answer: bool | None = None
        self.running = self.most = 0

    async def confirm(self, _partition: Partition, _position: CommitPosition) -> bool | None:
        """Answer after a while."""
        self.running += 1
        self.most = max(self.most, self.running)
        try:
            await asyncio.sleep(0.01)
        finally:
            self.running -= 1
        return self.answer


@pytest.fixture
def brokers() -> Brokers:
    """Return brokers that do not answer."""
    return Brokers()


@pytest.fixture
def dispatcher() -> FakePartitionOwner:
    """Return a dispatcher with one message in flight."""
    dispatcher = FakePartitionOwner()
    dispatcher.ledger.assign(PARTITION)
    dispatcher.ledger.accept(PARTITION, 7)
    return dispatcher


@pytest.fixture
async def consumer(dispatcher: FakePartitionOwner, brokers: Brokers, monkeypatch: pytest.MonkeyPatch) -> LedgerConsumer:
    """Return the consumer, which waits for brokers without a pause."""
    monkeypatch.setattr("investigator.streaming.consumer._CONFIRM_PAUSE_SECONDS", 0)
    context = ConsumerContext(dispatcher, lambda *_: None, GroupSizeAssignor(), 500)
    app = Investigator(
        "a-group", context, (), Lifecycle(lambda: None, dispatcher, 7.0, lambda: None), broker="kafka://127.0.0.1:1"
    )
    consumer: Any = app.consumer
    consumer._thread.thread_loop.close()  # the thread is not used
    consumer._thread = brokers
    return cast("LedgerConsumer", consumer)


async def test_one_check_at_a_time_however_many_messages_have_failed(
    consumer: LedgerConsumer, brokers: Brokers
) -> None:
    """Each may take ten seconds while the coordinator is away; polls of the other topics must not queue behind all."""
    checks = [asyncio.create_task(consumer.confirm_ownership(PARTITION)) for _ in range(20)]
    await asyncio.sleep(0.1)
    brokers.answer = True
    assert await asyncio.wait_for(asyncio.gather(*checks), 5) == [True] * 20
    assert brokers.most == 1


async def test_a_check_ends_when_the_partition_is_revoked(
    consumer: LedgerConsumer, brokers: Brokers, dispatcher: FakePartitionOwner
) -> None:
    """It does not wait for brokers any longer, and a cancelled check does not hold up the others."""
    first, second = (asyncio.create_task(consumer.confirm_ownership(PARTITION)) for _ in range(2))
    await asyncio.sleep(0.005)
    first.cancel()
    dispatcher.ledger.revoke(PARTITION)
    assert await asyncio.wait_for(second, 5) is False
    assert brokers.running == 0
