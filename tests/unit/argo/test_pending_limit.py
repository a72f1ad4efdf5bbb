# SPDX-License-Identifier: GPL-3.0-or-later
"""The pending limit is never exceeded, and urgent requests come first; all in virtual time."""

import asyncio
import random

from hypothesis import given, settings
from hypothesis import strategies as st

from investigator.argo.pending_limit import PendingLimiter, PendingPolicy
from tests.support.pending_namespace import Namespace, create_in_bursts, schedule
from tests.support.virtual_time import in_virtual_time, run_in_virtual_time


@in_virtual_time
async def test_without_a_limit_no_request_waits_and_nothing_is_counted() -> None:
    """A limit that is not set costs nothing."""
    namespace = Namespace()
    limiter = PendingLimiter(PendingPolicy(None), namespace.count)
    await asyncio.gather(*(schedule(limiter, namespace) for _ in range(100)))
    assert (namespace.pending, namespace.counted_at) == (100, [])


@in_virtual_time
async def test_concurrent_handlers_do_not_exceed_the_limit() -> None:
    """At each creation at most ``limit`` workflows are pending, however many handlers there are."""
    namespace = Namespace(limit=7)
    limiter = namespace.limiter()
    await asyncio.gather(*(schedule(limiter, namespace) for _ in range(200)))
    assert len(namespace.created_at_pending) == 200
    assert max(namespace.created_at_pending) == 7


@in_virtual_time
async def test_a_limit_of_zero_admits_one_request_if_no_workflow_is_pending() -> None:
    """By the contract, the limit is compared with the number of pending workflows before a creation."""
    namespace = Namespace(limit=0)
    limiter = namespace.limiter()
    await asyncio.gather(*(schedule(limiter, namespace) for _ in range(5)))
    assert namespace.created_at_pending == [0] * 5


@in_virtual_time
async def test_urgent_requests_get_the_next_permits() -> None:
    """A user's request does not wait for the bulk requests that came before it."""
    namespace = Namespace(limit=0)
    limiter = namespace.limiter()
    order: list[str] = []

    async def request(name: str, *, urgent: bool) -> None:
        async with limiter.acquire(urgent=urgent):
            await namespace.create()
            order.append(name)

    bulk = [asyncio.create_task(request(f"bulk {number}", urgent=False)) for number in range(3)]
    await asyncio.sleep(1)
    users = [asyncio.create_task(request(f"user {number}", urgent=True)) for number in range(2)]
    await asyncio.gather(*bulk, *users)
    assert order == ["bulk 0", "user 0", "user 1", "bulk 1", "bulk 2"]


@in_virtual_time
async def test_a_cancelled_permit_is_available_again_at_once() -> None:
    """Workflows that exist already use no permit, so that the limit does not slow down a replay."""
    namespace = Namespace(limit=0)
    limiter = namespace.limiter()

    async def repeat() -> None:
        async with limiter.acquire() as permit:
            await asyncio.sleep(0.01)
            permit.cancel()

    await asyncio.gather(*(repeat() for _ in range(20)))
    assert len(namespace.counted_at) == 1


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32), st.integers(0, 12), st.integers(1, 30))
def test_no_timing_exceeds_the_limit(seed: int, limit: int, handlers: int) -> None:
    """With any latencies, starts and cancellations, no creation exceeds the limit and every request gets a permit."""
    chance = random.Random(seed)  # noqa: S311 - reproducible, guards nothing
    latency, creation = (chance.choice([0.001, 0.5, 3.0]) for _ in range(2))
    namespace = Namespace(limit, latency, creation, starts_after=chance.uniform(0.1, 9))

    async def handler(limiter: PendingLimiter) -> None:
        await asyncio.sleep(chance.uniform(0, 20))
        async with limiter.acquire(urgent=chance.random() < 0.2) as permit:
            if chance.random() < 0.3:
                permit.cancel()
            else:
                await namespace.create()

    async def scenario() -> None:
        limiter = namespace.limiter()
        tasks = [asyncio.create_task(handler(limiter)) for _ in range(handlers)]
        for task in tasks[::2]:
            asyncio.get_running_loop().call_later(chance.uniform(0, 60), task.cancel)
        assert not (await asyncio.wait(tasks, timeout=3600))[1]

    run_in_virtual_time(scenario())
    assert all(pending <= limit for pending in namespace.created_at_pending)
    assert len(namespace.counted_at) < 2 or namespace.shortest_interval >= 2.0


def create_for_all(namespace: Namespace, members: int, chance: random.Random) -> None:
    """Let workers that share a limit create up to three times the limit in each burst."""
    limiters = [namespace.limiter(members=members) for _ in range(members)]
    run_in_virtual_time(create_in_bursts(namespace, limiters, 3 * namespace.limit + 2, chance))


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32), st.integers(0, 40), st.integers(2, 5))
def test_workers_that_share_a_limit_exceed_it_by_at_most_one_each(seed: int, limit: int, members: int) -> None:
    """Workers know only how many they are; the bound holds however their bursts overlap."""
    chance = random.Random(seed)  # noqa: S311 - reproducible, guards nothing
    latency, creation = (chance.choice([0.001, 0.02, 0.3, 5.0]) for _ in range(2))
    namespace = Namespace(limit, latency, creation, starts_after=chance.choice([0.5, 3.0, 1000.0]))
    create_for_all(namespace, members, chance)
    assert all(pending < limit + members for pending in namespace.created_at_pending)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32), st.sampled_from([10, 40]), st.integers(2, 4), st.sampled_from([3.0, 8.0, 25.0]))
def test_slow_creations_do_not_exceed_the_shared_limit(seed: int, limit: int, members: int, creation: float) -> None:
    """If creations take far longer than counts, a worker waits for those of other workers."""
    namespace = Namespace(limit, creation=creation, takes_effect=1.0, starts_after=1000.0)
    create_for_all(namespace, members, random.Random(seed))  # noqa: S311 - reproducible, guards nothing
    assert all(pending < limit + members for pending in namespace.created_at_pending)
