# SPDX-License-Identifier: GPL-3.0-or-later
"""Urgent requests come first, the others are not starved; all in virtual time."""

import asyncio
import random

from hypothesis import given, settings
from hypothesis import strategies as st

from investigator.argo.pending_limit import PendingLimiter
from investigator.argo.request_queue import RequestQueue
from tests.support.pending_namespace import Namespace
from tests.support.virtual_time import in_virtual_time, run_in_virtual_time


def order(queue: RequestQueue[None], now: float, turns: int) -> str:
    """Return the classes of the requests that get the next turns, as "u" and "b"."""
    requests = [queue.pop(now) for _ in range(turns)]
    return "".join("u" if request.urgent else "b" for request in requests if request)


@in_virtual_time
async def test_urgent_requests_come_first() -> None:
    """A burst of users is served before the bulk that came before it."""
    queue: RequestQueue[None] = RequestQueue()
    for _ in range(3):
        queue.add(urgent=False, since=0.0)
    for _ in range(5):
        queue.add(urgent=True, since=10.0)
    assert order(queue, 11.0, 9) == "uuuuubbb"


@in_virtual_time
async def test_overdue_requests_get_every_fourth_turn() -> None:
    """Urgent requests keep three of four turns, however large the backlog of the others is."""
    queue: RequestQueue[None] = RequestQueue()
    for _ in range(20):
        queue.add(urgent=False, since=0.0)
        queue.add(urgent=True, since=59.0)
    assert order(queue, 60.0, 12) == "uuubuuubuuub"


@in_virtual_time
async def test_requests_of_a_class_keep_their_order() -> None:
    """First in, first out, with and without overdue requests."""
    queue: RequestQueue[None] = RequestQueue()
    added = [queue.add(urgent=number % 3 == 0, since=float(number)) for number in range(60)]
    popped = [request for _ in added if (request := queue.pop(100.0))]
    assert len(popped) == len(added)
    for urgent in (True, False):
        assert [each for each in popped if each.urgent is urgent] == [each for each in added if each.urgent is urgent]


@in_virtual_time
async def test_a_discarded_request_gets_no_turn() -> None:
    """And the others get theirs."""
    queue: RequestQueue[None] = RequestQueue()
    first, second = (queue.add(urgent=True, since=0.0) for _ in range(2))
    queue.discard(first)
    queue.discard(first)
    assert (len(queue), queue.pop(0.0), queue.pop(0.0)) == (1, second, None)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32), st.integers(1, 30), st.floats(0.2, 3.0), st.floats(1.0, 8.0))
def test_every_request_gets_its_permit_under_steady_urgent_traffic(
    seed: int, bulk: int, start: float, pressure: float
) -> None:
    """While permits are issued, a bulk request waits for a minute, and then for at most four turns for each before it.

    Urgent requests arrive ``pressure`` times as fast as the namespace, at its limit, starts workflows.
    """
    chance = random.Random(seed)  # noqa: S311 - reproducible, guards nothing
    namespace = Namespace(limit=0, starts_after=start, latency=0.01, creation=0.01)
    turn = start + 2 * 0.5  # a workflow starts, and the next count sees it

    async def request(limiter: PendingLimiter, *, urgent: bool) -> None:
        async with limiter.acquire(urgent=urgent):
            await namespace.create()

    async def users(limiter: PendingLimiter, tasks: "list[asyncio.Task[None]]") -> None:
        while True:
            await asyncio.sleep(chance.expovariate(pressure / turn))
            tasks.append(asyncio.create_task(request(limiter, urgent=True)))

    async def scenario() -> None:
        limiter = namespace.limiter(interval=0.5)
        traffic = asyncio.create_task(users(limiter, []))
        await asyncio.sleep(30)
        others = [asyncio.create_task(request(limiter, urgent=False)) for _ in range(bulk)]
        _, starved = await asyncio.wait(others, timeout=60 + 4 * turn * (bulk + 1))
        traffic.cancel()
        assert not starved

    run_in_virtual_time(scenario())
