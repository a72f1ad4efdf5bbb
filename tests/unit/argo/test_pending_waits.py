# SPDX-License-Identifier: GPL-3.0-or-later
"""How handlers wait for a permit, and how rarely the limiter counts; all in virtual time."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from investigator.argo.pending_limit import PendingLimiter, PendingPolicy
from tests.support.pending_namespace import Namespace, schedule
from tests.support.virtual_time import in_virtual_time, settle


@in_virtual_time
async def test_the_namespace_is_counted_once_per_interval_however_many_handlers_wait() -> None:
    """A thousand waiting handlers cause as many requests to the cluster as one."""
    namespace = Namespace(limit=5, pending=100)
    limiter = namespace.limiter(interval=2.0)
    waiting = [asyncio.create_task(schedule(limiter, namespace)) for _ in range(1000)]
    await asyncio.sleep(60)
    assert len(namespace.counted_at) == 30  # the responses take a little time too
    assert namespace.shortest_interval >= 2.0
    assert not any(task.done() for task in waiting)


@in_virtual_time
async def test_a_recent_count_serves_all_handlers() -> None:
    """A handler does not wait for another count while the last one is recent and allows a creation."""
    namespace = Namespace(limit=50)
    limiter = namespace.limiter()
    for _ in range(10):
        await schedule(limiter, namespace)
    assert len(namespace.counted_at) == 1


@in_virtual_time
async def test_an_expired_count_admits_no_request() -> None:
    """The limiter counts again, and sees what others created since, before the next creation."""
    namespace = Namespace(limit=5)
    limiter = namespace.limiter()
    await schedule(limiter, namespace)
    namespace.pending += 100
    await asyncio.sleep(2.5)
    with pytest.raises(asyncio.TimeoutError):
        await asyncio.wait_for(schedule(limiter, namespace), 60)


@in_virtual_time
async def test_a_cancelled_wait_uses_no_permit() -> None:
    """A halt or a shutdown ends the wait at once; the permits go to the handlers that still wait."""
    namespace = Namespace(limit=0, pending=1)
    limiter = namespace.limiter()
    waiting = [asyncio.create_task(schedule(limiter, namespace)) for _ in range(10)]
    await asyncio.sleep(5)
    for task in waiting[:9]:
        task.cancel()
    namespace.pending = 0
    await waiting[9]
    assert namespace.created_at_pending == [0]


@in_virtual_time
async def test_a_request_that_is_admitted_and_cancelled_at_once_returns_its_permit() -> None:
    """The next request gets it."""
    namespace = Namespace(limit=0)
    limiter = namespace.limiter()
    first, second = (asyncio.create_task(schedule(limiter, namespace)) for _ in range(2))
    await settle()
    limiter._budget.end_count(0.0, 0)
    limiter._admit_waiters()
    first.cancel()
    await second
    assert first.cancelled()
    assert namespace.created_at_pending == [0]


@in_virtual_time
async def test_the_count_ends_when_no_handler_waits_any_more() -> None:
    """An idle worker sends no requests to the cluster."""
    namespace = Namespace(limit=0, pending=1)
    limiter = namespace.limiter()
    with pytest.raises(asyncio.TimeoutError):
        await asyncio.wait_for(schedule(limiter, namespace), 10)
    counts = len(namespace.counted_at)
    await asyncio.sleep(100)
    assert len(namespace.counted_at) <= counts + 1


@in_virtual_time
async def test_while_waiting_is_entered_for_the_wait_only() -> None:
    """The engine gives the message's slot to another message meanwhile."""
    namespace = Namespace(limit=0, pending=1)
    limiter = namespace.limiter()
    waiting: list[bool] = []

    @asynccontextmanager
    async def while_waiting(_what: str) -> AsyncIterator[None]:
        waiting.append(True)
        yield
        waiting.append(False)

    asyncio.get_running_loop().call_later(7, namespace._start)
    async with limiter.acquire(while_waiting=while_waiting):
        assert waiting == [True, False]
    async with limiter.acquire(while_waiting=while_waiting) as permit:
        permit.cancel()
        assert len(waiting) == 4


@in_virtual_time
async def test_on_change_gets_the_number_of_pending_workflows() -> None:
    """The gauge follows the counts and the creations since."""
    namespace = Namespace(limit=3, pending=2)
    shown: list[int] = []
    limiter = PendingLimiter(PendingPolicy(3), namespace.count, shown.append)
    await schedule(limiter, namespace)
    await schedule(limiter, namespace)
    assert (shown[0], max(shown), namespace.pending) == (3, 4, 4)
