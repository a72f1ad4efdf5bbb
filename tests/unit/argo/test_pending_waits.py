# SPDX-License-Identifier: GPL-3.0-or-later
"""How handlers wait for a place, and how rarely the cluster is counted; all in virtual time."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from investigator.argo.pending_limit import PendingLimiter, PendingPolicy
from investigator.delivery.errors import TemporaryError
from tests.support.pending_namespace import Namespace, schedule
from tests.support.virtual_time import in_virtual_time, settle


@in_virtual_time
async def test_the_namespace_is_counted_once_per_pause_however_many_wait() -> None:
    """A thousand waiting handlers ask the cluster no more often than one does."""
    namespace = Namespace(limit=5, pending=100)
    gate = namespace.gate(every=2.0)
    waiting = [asyncio.create_task(schedule(gate, namespace)) for _ in range(1000)]
    await asyncio.sleep(60)
    assert len(namespace.counted_at) == 30  # the answers take a little time too
    assert namespace.shortest_pause >= 2.0
    assert not any(task.done() for task in waiting)


@in_virtual_time
async def test_a_fresh_count_serves_everybody() -> None:
    """Handlers that come while the last count is fresh, and leave room, do not wait for another one."""
    namespace = Namespace(limit=50)
    gate = namespace.gate()
    for _ in range(10):
        await schedule(gate, namespace)
    assert len(namespace.counted_at) == 1


@in_virtual_time
async def test_a_stale_count_is_not_believed() -> None:
    """What others created meanwhile is seen before the next workflow is created."""
    namespace = Namespace(limit=5)
    gate = namespace.gate()
    await schedule(gate, namespace)
    namespace.pending += 100
    await asyncio.sleep(2.5)
    with pytest.raises(asyncio.TimeoutError):
        await asyncio.wait_for(schedule(gate, namespace), 60)


@in_virtual_time
async def test_waiting_can_be_cancelled_and_costs_nobody_a_place() -> None:
    """A halt or a shutdown ends the wait at once; the places go to those who still want them."""
    namespace = Namespace(limit=0, pending=1)
    gate = namespace.gate()
    waiting = [asyncio.create_task(schedule(gate, namespace)) for _ in range(10)]
    await asyncio.sleep(5)
    for task in waiting[:9]:
        task.cancel()
    namespace.pending = 0
    await waiting[9]
    assert namespace.created_at_pending == [0]


@in_virtual_time
async def test_cancelled_in_the_moment_of_being_let_in() -> None:
    """Whoever is let in and cancelled in one moment gives the place to the next one."""
    namespace = Namespace(limit=0)
    gate = namespace.gate()
    first, second = (asyncio.create_task(schedule(gate, namespace)) for _ in range(2))
    await settle()
    gate._budget.end_count(0.0, 0)
    gate._let_in()
    first.cancel()
    await second
    assert first.cancelled()
    assert namespace.created_at_pending == [0]


@in_virtual_time
async def test_the_count_ends_when_nobody_waits_any_more() -> None:
    """An idle worker asks the cluster nothing."""
    namespace = Namespace(limit=0, pending=1)
    gate = namespace.gate()
    with pytest.raises(asyncio.TimeoutError):
        await asyncio.wait_for(schedule(gate, namespace), 10)
    asked = len(namespace.counted_at)
    await asyncio.sleep(100)
    assert len(namespace.counted_at) <= asked + 1


@in_virtual_time
async def test_a_failing_count_reaches_all_who_wait_for_it() -> None:
    """Trouble of the cluster is not hidden behind an endless wait, and the next one asks anew."""
    namespace = Namespace(broken=True)
    gate = namespace.gate()
    ends = await asyncio.gather(*(schedule(gate, namespace) for _ in range(3)), return_exceptions=True)
    assert [(type(end), getattr(end, "delay", None)) for end in ends] == [(TemporaryError, 3.0)] * 3
    assert len({id(end) for end in ends}) == 3
    namespace.broken = False
    await schedule(gate, namespace)
    assert namespace.shortest_pause >= 2.0


@in_virtual_time
async def test_the_caller_hears_that_it_waits() -> None:
    """The caller's context is entered only for the wait, so that its place in the engine is free meanwhile."""
    namespace = Namespace(limit=0, pending=1)
    gate = namespace.gate()
    waiting: list[bool] = []

    @asynccontextmanager
    async def while_waiting(_what: str) -> AsyncIterator[None]:
        waiting.append(True)
        yield
        waiting.append(False)

    asyncio.get_running_loop().call_later(7, namespace._start)
    async with gate.acquire(while_waiting=while_waiting):
        assert waiting == [True, False]
    async with gate.acquire(while_waiting=while_waiting) as place:
        place.cancel()
        assert len(waiting) == 4


@in_virtual_time
async def test_what_is_known_is_shown() -> None:
    """The gauge follows the counts and what was let in since."""
    namespace = Namespace(limit=3, pending=2)
    shown: list[int] = []
    gate = PendingLimiter(PendingPolicy(3), namespace.count, shown.append)
    await schedule(gate, namespace)
    await schedule(gate, namespace)
    assert (shown[0], max(shown), namespace.pending) == (3, 4, 4)
