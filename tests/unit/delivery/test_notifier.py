# SPDX-License-Identifier: GPL-3.0-or-later
"""Waiting for a change without missing one."""

import asyncio

import pytest

from investigator.delivery.notifier import Notifier
from tests.support.virtual_time import in_virtual_time, settle


@in_virtual_time
async def test_who_waits_for_what_holds_already_does_not_wait() -> None:
    """A change that came before the waiting began is not missed."""
    await Notifier().wait_for(lambda: True)


@in_virtual_time
async def test_waiters_go_on_in_the_order_in_which_they_began_to_wait() -> None:
    """Nobody overtakes, however often the waiters were woken in vain before."""
    signal, went_on, is_open = Notifier(), list[int](), False

    async def wait(number: int) -> None:
        await signal.wait_for(lambda: is_open)
        went_on.append(number)

    tasks = [asyncio.create_task(wait(number)) for number in range(5)]
    for _ in range(3):
        await settle()
        signal.notify()
        signal.notify()
    await settle()
    assert went_on == []
    is_open = True
    signal.notify()
    await asyncio.gather(*tasks)
    assert went_on == list(range(5))


@in_virtual_time
async def test_who_is_cancelled_is_forgotten() -> None:
    """A waiter that ends leaves nothing behind, also when it is woken and cancelled in the same moment."""
    signal = Notifier()
    for wake in (False, True):
        task = asyncio.create_task(signal.wait_for(lambda: False))
        await settle()
        if wake:
            signal.notify()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    assert not signal._waiters
