# SPDX-License-Identifier: GPL-3.0-or-later
"""How many messages are processed at once, through pauses, branches, failures and cancellations."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from investigator.delivery.slots import Slot, Slots
from tests.support.virtual_time import finished_at, in_virtual_time, run_in_virtual_time, settle

Work = Callable[[Slot], Awaitable[object]]


async def hold(slots: Slots, work: Work) -> None:
    """Work with a slot."""
    async with slots.slot() as slot:
        await work(slot)


def start(slots: Slots, work: Work) -> "asyncio.Task[None]":
    """Work with a slot, in its own task."""
    return asyncio.create_task(hold(slots, work))


def working(seconds: float) -> Work:
    """Return work that takes this number of seconds."""
    return lambda _: asyncio.sleep(seconds)


async def pause(slot: Slot, seconds: float) -> None:
    """Wait without the slot."""
    async with slot.released():
        await asyncio.sleep(seconds)


async def assert_free(slots: Slots, number: int) -> None:
    """Check that exactly this number of slots is free."""
    done = [start(slots, working(1)) for _ in range(number + 1)]
    began = asyncio.get_running_loop().time()
    ends = await asyncio.gather(*(finished_at(task) for task in done))
    assert [end - began for end in ends] == [1] * number + [2]


@in_virtual_time
async def test_no_more_messages_are_processed_at_once_than_there_are_slots() -> None:
    """Ten messages of one second each take four seconds on three slots, in the order in which they asked."""
    slots = Slots(3)
    ends = await asyncio.gather(*(finished_at(start(slots, working(1))) for _ in range(10)))
    assert ends == [1, 1, 1, 2, 2, 2, 3, 3, 3, 4]


@in_virtual_time
async def test_a_waiting_message_holds_no_slot() -> None:
    """During a retry pause of an hour other messages are processed."""
    slots = Slots(1)
    waiting = start(slots, lambda slot: pause(slot, 3600))
    assert await finished_at(start(slots, working(1))) == 1
    assert await finished_at(waiting) == 3600


@in_virtual_time
async def test_a_message_continues_after_a_wait_only_with_a_slot() -> None:
    """After its pause a message waits for a slot like all others."""
    slots = Slots(1)
    waiting = start(slots, lambda slot: pause(slot, 1))
    await settle()
    busy = start(slots, working(10))
    assert await finished_at(waiting) == 10
    assert busy.done()


@in_virtual_time
async def test_branches_that_wait_side_by_side_acquire_the_slot_once() -> None:
    """The branches of a handler may end their waits in any order: no slot is lost."""
    slots = Slots(2)

    async def branch(slot: Slot, *waits: float) -> None:
        for seconds in waits:
            async with slot.released():
                await asyncio.sleep(seconds)

    async def fan_out(slot: Slot) -> None:
        await asyncio.gather(branch(slot, 1, 1), branch(slot, 1, 0, 1), branch(slot, 3), branch(slot))

    await asyncio.gather(*(hold(slots, fan_out) for _ in range(5)))
    await assert_free(slots, 2)


@in_virtual_time
async def test_a_branch_that_waits_while_another_acquires_the_slot_acquires_none() -> None:
    """When slots are scarce, a branch may begin and end a wait while an earlier one still waits for the slot."""
    slots = Slots(1)

    async def quick(slot: Slot) -> None:
        async with slot.released():
            await asyncio.sleep(1)

    async def late(slot: Slot) -> None:
        await asyncio.sleep(2)
        async with slot.released():
            await asyncio.sleep(1)

    async def fan_out(slot: Slot) -> None:
        await asyncio.gather(quick(slot), late(slot))

    branches = start(slots, fan_out)
    await settle()
    others = start(slots, working(10))
    await asyncio.gather(branches, others)
    await assert_free(slots, 1)


@in_virtual_time
async def test_a_branch_that_outlives_its_handler_holds_no_slot() -> None:
    """A handler may fail while one of its branches still waits: that branch must not hold a slot forever."""
    slots = Slots(1)
    outliving: list[asyncio.Task[None]] = []

    async def fail(slot: Slot) -> None:
        outliving.append(asyncio.create_task(pause(slot, 1)))
        await settle()
        raise ValueError("trouble")

    with pytest.raises(ValueError, match="trouble"):
        await hold(slots, fail)
    await asyncio.gather(*outliving)
    await assert_free(slots, 1)


@in_virtual_time
async def test_a_branch_that_outlives_its_handler_while_it_waits_for_the_slot_releases_it() -> None:
    """It may acquire the slot of its message long after the message ended."""
    slots = Slots(1)
    outliving: list[asyncio.Task[None]] = []

    async def fail_later(slot: Slot) -> None:
        outliving.append(asyncio.create_task(pause(slot, 1)))
        await asyncio.sleep(2)
        raise ValueError("trouble")

    failing = start(slots, fail_later)
    await settle()
    busy = start(slots, working(10))
    await asyncio.gather(failing, busy, return_exceptions=True)
    await asyncio.gather(*outliving)
    await assert_free(slots, 1)


@in_virtual_time
async def test_waits_may_be_nested() -> None:
    """A call that waits for its turn inside of a wait releases nothing twice."""
    slots = Slots(2)

    async def nested(slot: Slot) -> None:
        async with slot.released(), slot.released():
            await pause(slot, 1)

    await asyncio.gather(hold(slots, nested), hold(slots, nested))
    await assert_free(slots, 2)


@in_virtual_time
async def test_an_error_while_waiting_does_not_lose_the_slot() -> None:
    """A probe may fail inside of a wait; the handler that catches the error continues with a slot."""
    slots = Slots(1)

    async def fail_waiting(slot: Slot) -> None:
        with suppress(ValueError):
            async with slot.released():
                raise ValueError
        assert slot.held

    await hold(slots, fail_waiting)
    await assert_free(slots, 1)


@in_virtual_time
async def test_a_message_that_is_cancelled_while_it_waits_ends_at_once() -> None:
    """It does not first wait for a slot, only to release it."""
    slots = Slots(1)
    waiting = start(slots, lambda slot: pause(slot, 3600))
    await settle()
    hanging = start(slots, working(1000))
    await settle()
    waiting.cancel()
    await settle()
    assert waiting.done()
    hanging.cancel()
    await settle()
    await assert_free(slots, 1)


# For each branch of a message, what it does: work (True) or wait (False), and for how many seconds.
SCRIPTS = st.lists(st.lists(st.tuples(st.booleans(), st.integers(0, 3)), max_size=3), min_size=1, max_size=3)


async def branch(slot: Slot, script: list[tuple[bool, int]]) -> None:
    """Work and wait."""
    for works, seconds in script:
        await (asyncio.sleep(seconds) if works else pause(slot, seconds))


@settings(max_examples=150, deadline=None)
@given(
    number=st.integers(1, 3),
    messages=st.lists(st.tuples(SCRIPTS, st.none() | st.floats(0, 8, width=16)), max_size=8),
)
def test_no_slot_is_lost_or_held_twice(
    number: int, messages: list[tuple[list[list[tuple[bool, int]]], float | None]]
) -> None:
    """Messages may work, wait and be cancelled at any moment: never too many slots are held, and none is lost."""

    async def main() -> None:
        slots = Slots(number)
        made: list[Slot] = []

        async def message(scripts: list[list[tuple[bool, int]]]) -> None:
            slot = slots.slot()
            made.append(slot)
            async with slot:
                assert slot.held
                await asyncio.gather(*(branch(slot, script) for script in scripts))

        async def watch() -> None:
            for _ in range(200):
                assert sum(slot.held for slot in made) <= number
                await asyncio.sleep(0.25)

        loop = asyncio.get_running_loop()
        watching = asyncio.create_task(watch())
        tasks = []
        for scripts, cancelled_at in messages:
            tasks.append(asyncio.create_task(message(scripts)))
            if cancelled_at is not None:
                loop.call_later(cancelled_at, tasks[-1].cancel)
        await asyncio.gather(*tasks, return_exceptions=True)
        assert not any(slot.held for slot in made)
        await assert_free(slots, number)
        await watching

    run_in_virtual_time(main())
