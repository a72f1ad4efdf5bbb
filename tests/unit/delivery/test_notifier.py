# SPDX-License-Identifier: GPL-3.0-or-later
"""A wait for a change misses none."""

import asyncio

import pytest

from investigator.delivery.notifier import Notifier
from tests.support.virtual_time import in_virtual_time, settle


@in_virtual_time
async def test_a_condition_that_is_true_already_needs_no_wait() -> None:
    """A change before the wait began is not missed."""
    await Notifier().wait_for(lambda: True)


@in_virtual_time
async def test_waiters_continue_in_the_order_in_which_they_began_to_wait() -> None:
    """No waiter overtakes another one, however often they were woken in vain before."""
    notifier, continued, is_open = Notifier(), list[int](), False

    async def wait(number: int) -> None:
        await notifier.wait_for(lambda: is_open)
        continued.append(number)

    tasks = [asyncio.create_task(wait(number)) for number in range(5)]
    for _ in range(3):
        await settle()
        notifier.notify()
        notifier.notify()
    await settle()
    assert continued == []
    is_open = True
    notifier.notify()
    await asyncio.gather(*tasks)
    assert continued == list(range(5))


@in_virtual_time
async def test_a_cancelled_waiter_is_forgotten() -> None:
    """Also when it is notified and cancelled at the same moment."""
    notifier = Notifier()
    for wake in (False, True):
        task = asyncio.create_task(notifier.wait_for(lambda: False))
        await settle()
        if wake:
            notifier.notify()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    assert not notifier._waiters
