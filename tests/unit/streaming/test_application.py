# SPDX-License-Identifier: GPL-3.0-or-later
"""The application makes the consumer that commits by the ledger, and drains the dispatcher in time."""

from typing import Any

import pytest

from investigator.delivery.ledger import Partition
from investigator.streaming.application import Investigator, Lifecycle
from investigator.streaming.assignor import GroupSizeAssignor
from investigator.streaming.consumer import ConsumerContext, LedgerConsumer, LedgerTransport
from investigator.streaming.consumer_thread import ConsumerThread
from tests.support.partition_owner import FakePartitionOwner


@pytest.fixture
def dispatcher() -> FakePartitionOwner:
    """Return a dispatcher with one assigned partition."""
    dispatcher = FakePartitionOwner()
    dispatcher.ledger.assign(Partition("t", 0))
    return dispatcher


@pytest.fixture
def lifecycle(dispatcher: FakePartitionOwner) -> Lifecycle:
    """Return the lifecycle of a worker that drains for at most 7 seconds."""
    return Lifecycle(lambda: None, dispatcher, 7.0, lambda: None)


@pytest.fixture
def context(dispatcher: FakePartitionOwner) -> ConsumerContext:
    """Return what the consumer works for."""
    return ConsumerContext(dispatcher, lambda *_: None, GroupSizeAssignor(), 500)


async def test_faust_gets_the_consumer_that_commits_by_the_ledger(
    context: ConsumerContext, lifecycle: Lifecycle
) -> None:
    """And the thread in which that one talks to the brokers."""
    app = Investigator("a-group", context, (), lifecycle, broker="kafka://127.0.0.1:1")
    assert isinstance(app.transport, LedgerTransport)
    consumer: Any = app.consumer
    assert isinstance(consumer, LedgerConsumer)
    assert consumer._context is context
    assert isinstance(consumer._thread, ConsumerThread)
    consumer._thread.thread_loop.close()


async def test_a_stop_drains_all_assigned_partitions(dispatcher: FakePartitionOwner, lifecycle: Lifecycle) -> None:
    """The messages in flight finish before the consumer commits for the last time."""
    await lifecycle.drain()
    assert dispatcher.drained == [(frozenset({Partition("t", 0)}), 7.0)]


def test_a_stop_ends_in_any_case_some_time_after_the_drain(lifecycle: Lifecycle) -> None:
    """The last commit and leaving the group need time after the drain."""
    assert 7.0 < lifecycle.stop_timeout <= 20.0
