# SPDX-License-Identifier: GPL-3.0-or-later
"""A quota without room makes creations wait, with few tries, and room is used within seconds; in virtual time."""

import asyncio
import logging
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from investigator.argo.quota import QuotaGate
from tests.support.quota_namespace import QuotaNamespace
from tests.support.virtual_time import in_virtual_time, run_in_virtual_time


def start(gate: QuotaGate, namespace: QuotaNamespace, number: int, kind: str = "") -> list["asyncio.Task[None]"]:
    """Start creations."""
    return [asyncio.create_task(namespace.create_in_turn(gate, kind)) for _ in range(number)]


@in_virtual_time
async def test_with_room_no_creation_waits() -> None:
    """The gate costs nothing as long as no quota refuses."""
    gate, namespace = QuotaGate("n"), QuotaNamespace(room=100)
    await asyncio.gather(*start(gate, namespace, 100))
    assert max(namespace.created_at) == 0.01


@pytest.mark.parametrize("full_for", [1.0, 20.0, 60.0, 3600.0])
@in_virtual_time
async def test_room_is_used_within_seconds(full_for: float) -> None:
    """All creations follow the one that finds it."""
    gate, namespace = QuotaGate("n"), QuotaNamespace()
    tasks = start(gate, namespace, 600)
    await asyncio.sleep(full_for)
    assert not any(task.done() for task in tasks)
    namespace.room = 10_000
    await asyncio.wait_for(asyncio.gather(*tasks), 6)
    assert (len(namespace.created_at), gate.view) == (600, None)


@in_virtual_time
async def test_a_full_namespace_gets_few_requests() -> None:
    """After the first refusals, one creation tries at a time, at growing pauses, however many wait."""
    gate, namespace = QuotaGate("n"), QuotaNamespace()
    tasks = start(gate, namespace, 50)
    await asyncio.sleep(1)
    tasks += start(gate, namespace, 500)
    await asyncio.sleep(600)
    tries = [at for at in namespace.refused_at if at > 0.5]
    assert 100 < len(tries) < 130
    assert all(after - before >= 0.99 for before, after in pairwise(tries))
    assert gate.waiting == len(tasks)


@in_virtual_time
async def test_room_for_a_few_causes_no_storm() -> None:
    """Each workflow that ends makes room for one: the tries do not grow with the number of those that wait."""
    gate, namespace = QuotaGate("n"), QuotaNamespace()
    tasks = start(gate, namespace, 300)
    await asyncio.sleep(30)
    namespace.refused_at.clear()
    for _ in range(10):
        namespace.room += 1
        await asyncio.sleep(30)
    assert len(namespace.created_at) == 10
    assert len(namespace.refused_at) < 10 * 10
    assert sum(not task.done() for task in tasks) == 290


@in_virtual_time
async def test_a_quota_of_one_kind_does_not_hold_back_the_others_for_ever() -> None:
    """A creation that is refused goes behind the others, so one of another kind is tried, and ends the wait."""
    gate, namespace = QuotaGate("n"), QuotaNamespace(room=1000, refused_kinds={"adviser"})
    refused = start(gate, namespace, 5, "adviser")
    await asyncio.sleep(10)
    others = start(gate, namespace, 20, "kebechet")
    await asyncio.wait_for(asyncio.gather(*others), 120)
    assert not any(task.done() for task in refused)
    namespace.refused_kinds.clear()
    await asyncio.wait_for(asyncio.gather(*refused), 6)


@in_virtual_time
async def test_a_quota_of_zero_means_to_wait_for_ever_and_is_shown() -> None:
    """The view has the quota's name, the start of the wait, and the API's text."""
    gate, namespace = QuotaGate("thoth-backend"), QuotaNamespace()
    await asyncio.sleep(5)
    start(gate, namespace, 3)
    await asyncio.sleep(86_400)
    assert gate.view is not None
    assert (gate.view.quota, round(gate.view.since), gate.view.waiting) == ("object-counts", 5, 3)
    assert "exceeded quota" in gate.view.error


@in_virtual_time
async def test_other_namespaces_are_not_held_back() -> None:
    """A gate knows only its own namespace."""
    full, free = QuotaNamespace(), QuotaNamespace(room=10)
    start(QuotaGate("full"), full, 10)
    await asyncio.wait_for(asyncio.gather(*start(QuotaGate("free"), free, 10)), 1)


@in_virtual_time
async def test_urgent_creations_are_first_when_there_is_room() -> None:
    """A user does not wait for the bulk."""
    gate, namespace = QuotaGate("n"), QuotaNamespace()
    start(gate, namespace, 1, "first")
    await asyncio.sleep(1)
    start(gate, namespace, 5, "bulk")
    user = asyncio.create_task(namespace.create_in_turn(gate, "user", urgent=True))
    await asyncio.sleep(30)
    namespace.room = 1
    await asyncio.wait_for(user, 6)
    assert namespace.kinds == ["user"]


@in_virtual_time
async def test_a_creation_waits_without_its_slot() -> None:
    """The reason names the quota and the namespace."""
    gate, namespace = QuotaGate("thoth-backend"), QuotaNamespace()
    reasons: list[str] = []

    @asynccontextmanager
    async def while_waiting(reason: str) -> AsyncIterator[None]:
        reasons.append(reason)
        yield

    async def create() -> None:
        while True:
            async with gate.turn(while_waiting=while_waiting) as turn:
                if (refusal := await namespace.create()) is None:
                    return
                turn.refuse(refusal)

    task = asyncio.create_task(create())
    await asyncio.sleep(0.5)
    assert reasons == ["room in the quota object-counts of namespace thoth-backend"]
    namespace.room = 1
    await task


@in_virtual_time
async def test_an_episode_is_logged_once_and_its_end_too(caplog: pytest.LogCaptureFixture) -> None:
    """However many creations are refused, and however often."""
    caplog.set_level(logging.WARNING)
    gate, namespace = QuotaGate("n"), QuotaNamespace()
    tasks = start(gate, namespace, 100)
    await asyncio.sleep(100)
    namespace.room = 50
    await asyncio.sleep(100)
    namespace.room = 50
    await asyncio.gather(*tasks)
    await asyncio.sleep(1)
    texts = [record.getMessage() for record in caplog.records]
    assert [text.split(" namespace")[0] for text in texts] == [
        "Quota has no room; messages that create workflows in the",
        "Quota has room again, and no message waits",
    ]


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32), st.integers(1, 40))
def test_no_timing_loses_a_turn(seed: int, number: int) -> None:
    """With any cancellations, failures and changes of the room, every creation that is not cancelled ends."""
    chance = random.Random(seed)  # noqa: S311 - reproducible, guards nothing

    async def fail(gate: QuotaGate) -> None:
        async with gate.turn():
            await asyncio.sleep(chance.uniform(0, 1))
            raise ValueError

    async def scenario() -> None:
        gate, namespace = QuotaGate("n"), QuotaNamespace(room=chance.randrange(5), latency=chance.choice([0.01, 3.0]))
        tasks = []
        for _ in range(number):
            await asyncio.sleep(chance.choice([0.0, chance.uniform(0, 3)]))
            tasks.append(asyncio.create_task(fail(gate)) if chance.random() < 0.2 else start(gate, namespace, 1)[0])
        for task in tasks[::2]:
            asyncio.get_running_loop().call_later(chance.uniform(0, 60), task.cancel)
        for _ in range(number):
            asyncio.get_running_loop().call_later(
                chance.uniform(0, 60), setattr, namespace, "room", chance.randrange(3)
            )
        await asyncio.sleep(100)
        namespace.room = 1000
        _, waiting = await asyncio.wait(tasks, timeout=60)
        assert not waiting
        assert (gate.waiting, gate.view, gate._trying) == (0, None, 0)

    run_in_virtual_time(scenario())
