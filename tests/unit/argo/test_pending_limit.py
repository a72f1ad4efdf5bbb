# SPDX-License-Identifier: GPL-3.0-or-later
"""The pending limit: never overshot, urgent requests first; all in virtual time."""

import asyncio
import random

from hypothesis import given, settings
from hypothesis import strategies as st

from investigator.argo.pending_limit import PendingLimiter, PendingPolicy
from tests.support.pending_namespace import Namespace, schedule
from tests.support.virtual_time import in_virtual_time, run_in_virtual_time


@in_virtual_time
async def test_without_a_limit_nobody_waits_and_nobody_counts() -> None:
    """The limit costs nothing where it is not set."""
    namespace = Namespace()
    gate = PendingLimiter(PendingPolicy(None), namespace.count)
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
async def test_urgent_requests_go_first() -> None:
    """A user's request does not queue behind the bulk that came before it."""
    namespace = Namespace(limit=0)
    gate = namespace.gate()
    order: list[str] = []

    async def request(name: str, *, urgent: bool) -> None:
        async with gate.acquire(urgent=urgent):
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
        async with gate.acquire() as place:
            await asyncio.sleep(0.01)
            place.cancel()

    await asyncio.gather(*(repeat() for _ in range(20)))
    assert len(namespace.counted_at) == 1


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32), st.integers(0, 12), st.integers(1, 30))
def test_no_timing_overshoots_the_limit(seed: int, limit: int, handlers: int) -> None:
    """Whatever the latencies and starts, cancellations and refusals, none is created above the limit and all get in."""
    chance = random.Random(seed)  # noqa: S311 - chance that can be repeated
    latency, creation = (chance.choice([0.001, 0.5, 3.0]) for _ in range(2))
    namespace = Namespace(limit, latency, creation, starts_after=chance.uniform(0.1, 9))

    async def handler(gate: PendingLimiter) -> None:
        await asyncio.sleep(chance.uniform(0, 20))
        async with gate.acquire(urgent=chance.random() < 0.2) as place:
            if chance.random() < 0.3:
                place.cancel()
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


def let_bursts_meet(namespace: Namespace, workers: int, chance: random.Random) -> None:
    """Let workers that share a limit create up to three times of it in bursts, for 200 seconds."""

    async def burst(gate: PendingLimiter) -> None:
        await asyncio.sleep(chance.uniform(0, 10))
        await asyncio.gather(*(schedule(gate, namespace) for _ in range(chance.randrange(3 * namespace.limit + 3))))

    async def scenario() -> None:
        gates = [namespace.gate(workers=workers) for _ in range(workers)]
        bursts = [asyncio.create_task(burst(gate)) for gate in gates * 3]
        _, late = await asyncio.wait(bursts, timeout=200)
        for task in late:
            task.cancel()
        await asyncio.gather(*late, return_exceptions=True)

    run_in_virtual_time(scenario())


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32), st.integers(0, 40), st.integers(2, 5))
def test_workers_that_share_a_limit_go_beyond_it_by_one_each_at_most(seed: int, limit: int, workers: int) -> None:
    """Workers know nothing of each other but their number; however their bursts meet, none creates above the bound."""
    chance = random.Random(seed)  # noqa: S311 - chance that can be repeated
    latency, creation = (chance.choice([0.001, 0.02, 0.3, 5.0]) for _ in range(2))
    namespace = Namespace(limit, latency, creation, starts_after=chance.choice([0.5, 3.0, 1000.0]))
    let_bursts_meet(namespace, workers, chance)
    assert all(pending < limit + workers for pending in namespace.created_at_pending)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32), st.sampled_from([10, 40]), st.integers(2, 4), st.sampled_from([3.0, 8.0, 25.0]))
def test_slow_creations_do_not_overshoot_the_shared_limit(seed: int, limit: int, workers: int, creation: float) -> None:
    """Where creations take far longer than counts, those that are under way elsewhere are waited for."""
    namespace = Namespace(limit, creation=creation, takes_effect=1.0, starts_after=1000.0)
    let_bursts_meet(namespace, workers, random.Random(seed))  # noqa: S311 - chance that can be repeated
    assert all(pending < limit + workers for pending in namespace.created_at_pending)
