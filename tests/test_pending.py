# SPDX-License-Identifier: GPL-3.0-or-later
"""The pending limit: never overshot, cheap to ask for, urgent requests first; all in virtual time."""

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from investigator.delivery.errors import TemporaryError
from investigator.pending import Budget, PendingGate, PendingPolicy
from tests.virtual_time import in_virtual_time, run_in_virtual_time, settle


@dataclass
class Namespace:
    """The workflows of a namespace that have not started; each starts some seconds after it was created."""

    limit: int = 5
    latency: float = 0.02  # of a count
    creation: float = 0.02
    starts_after: float = 10.0
    pending: int = 0
    counted_at: list[float] = field(default_factory=list)
    created_at_pending: list[int] = field(default_factory=list)
    broken: bool = False

    async def count(self) -> int:
        """Answer like the cluster: the number of the moment in which the request is served."""
        self.counted_at.append(asyncio.get_running_loop().time())
        await asyncio.sleep(self.latency / 2)
        if self.broken:
            raise TemporaryError("500", delay=3.0)
        counted = self.pending
        await asyncio.sleep(self.latency / 2)
        return counted

    async def create(self) -> None:
        """Create a workflow; it takes effect in the middle of the request."""
        await asyncio.sleep(self.creation / 2)
        self.created_at_pending.append(self.pending)
        self.pending += 1
        asyncio.get_running_loop().call_later(self.starts_after, self._start)
        await asyncio.sleep(self.creation / 2)

    def _start(self) -> None:
        self.pending -= 1

    def gate(self, every: float = 2.0) -> PendingGate:
        """Give a gate with this namespace's limit in front of it."""
        return PendingGate(PendingPolicy(self.limit, every), self.count)

    @property
    def shortest_pause(self) -> float:
        """The shortest time between two counts."""
        return round(min(after - before for before, after in pairwise(self.counted_at)), 6)


async def schedule(gate: PendingGate, namespace: Namespace, *, urgent: bool = False) -> None:
    """Create one workflow as soon as there is a place."""
    async with gate.place(urgent=urgent):
        await namespace.create()


def test_what_ends_while_the_cluster_counts_may_not_be_in_the_count() -> None:
    """A workflow that was created after the cluster had looked still takes its place, until the next count."""
    budget = Budget(limit=5, every=2.0)
    budget.let_in()
    budget.begin_count(0.0)
    budget.end(created=True)
    budget.end_count(0.1, counted=3)
    assert budget.pending == 4
    budget.begin_count(2.1)
    budget.end_count(2.2, counted=4)
    assert budget.pending == 4


@in_virtual_time
async def test_without_a_limit_nobody_waits_and_nobody_counts() -> None:
    """The limit costs nothing where it is not set."""
    namespace = Namespace()
    gate = PendingGate(PendingPolicy(None), namespace.count)
    await asyncio.gather(*(schedule(gate, namespace) for _ in range(100)))
    assert (namespace.pending, namespace.counted_at) == (100, [])


@in_virtual_time
async def test_handlers_side_by_side_do_not_overshoot_the_limit() -> None:
    """At each creation at most as many workflows are pending as the limit says, however many handlers there are."""
    namespace = Namespace(limit=7)
    gate = namespace.gate()
    await asyncio.gather(*(schedule(gate, namespace) for _ in range(200)))
    assert len(namespace.created_at_pending) == 200
    assert max(namespace.created_at_pending) == 7


@in_virtual_time
async def test_a_limit_of_zero_lets_one_in_when_nothing_is_pending() -> None:
    """The limit counts what is pending before a workflow is created, as the contract has it."""
    namespace = Namespace(limit=0)
    gate = namespace.gate()
    await asyncio.gather(*(schedule(gate, namespace) for _ in range(5)))
    assert namespace.created_at_pending == [0] * 5


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
async def test_urgent_requests_go_first() -> None:
    """A user's request does not queue behind the bulk that came before it."""
    namespace = Namespace(limit=0)
    gate = namespace.gate()
    order: list[str] = []

    async def request(name: str, *, urgent: bool) -> None:
        async with gate.place(urgent=urgent):
            await namespace.create()
            order.append(name)

    bulk = [asyncio.create_task(request(f"bulk {number}", urgent=False)) for number in range(3)]
    await asyncio.sleep(1)
    users = [asyncio.create_task(request(f"user {number}", urgent=True)) for number in range(2)]
    await asyncio.gather(*bulk, *users)
    assert order == ["bulk 0", "user 0", "user 1", "bulk 1", "bulk 2"]


@in_virtual_time
async def test_a_place_that_was_not_used_is_free_at_once() -> None:
    """Workflows that turn out to be there already take no place, so that a replay is not slowed down."""
    namespace = Namespace(limit=0)
    gate = namespace.gate()

    async def repeat() -> None:
        async with gate.place() as place:
            await asyncio.sleep(0.01)
            place.give_back()

    await asyncio.gather(*(repeat() for _ in range(20)))
    assert len(namespace.counted_at) == 1


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
    async def while_waiting() -> AsyncIterator[None]:
        waiting.append(True)
        yield
        waiting.append(False)

    asyncio.get_running_loop().call_later(7, namespace._start)
    async with gate.place(while_waiting=while_waiting):
        assert waiting == [True, False]
    async with gate.place(while_waiting=while_waiting) as place:
        place.give_back()
        assert len(waiting) == 4


@in_virtual_time
async def test_what_is_known_is_shown() -> None:
    """The gauge follows the counts and what was let in since."""
    namespace = Namespace(limit=3, pending=2)
    shown: list[int] = []
    gate = PendingGate(PendingPolicy(3), namespace.count, shown.append)
    await schedule(gate, namespace)
    await schedule(gate, namespace)
    assert (shown[0], max(shown), namespace.pending) == (3, 4, 4)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32), st.integers(0, 12), st.integers(1, 30))
def test_no_timing_overshoots_the_limit(seed: int, limit: int, handlers: int) -> None:
    """Whatever the latencies and starts, cancellations and refusals, none is created above the limit and all get in."""
    chance = random.Random(seed)  # noqa: S311 - chance that can be repeated
    latency, creation = (chance.choice([0.001, 0.5, 3.0]) for _ in range(2))
    namespace = Namespace(limit, latency, creation, starts_after=chance.uniform(0.1, 9))

    async def handler(gate: PendingGate) -> None:
        await asyncio.sleep(chance.uniform(0, 20))
        async with gate.place(urgent=chance.random() < 0.2) as place:
            if chance.random() < 0.3:
                place.give_back()
            else:
                await namespace.create()

    async def scenario() -> None:
        gate = namespace.gate()
        tasks = [asyncio.create_task(handler(gate)) for _ in range(handlers)]
        for task in tasks[::2]:
            asyncio.get_running_loop().call_later(chance.uniform(0, 60), task.cancel)
        assert not (await asyncio.wait(tasks, timeout=3600))[1]

    run_in_virtual_time(scenario())
    assert all(pending <= limit for pending in namespace.created_at_pending)
    assert len(namespace.counted_at) < 2 or namespace.shortest_pause >= 2.0
