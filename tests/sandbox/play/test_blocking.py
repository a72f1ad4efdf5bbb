# SPDX-License-Identifier: GPL-3.0-or-later
import asyncio
import threading

import pytest

from sandbox.play.blocking import all_to_their_end, to_its_end


async def test_a_cancelled_step_ends_before_the_cancellation_goes_on() -> None:
    """Guarantee: what a step has started is there to be stopped when its caller is cancelled."""
    begun, may_end, started = threading.Event(), threading.Event(), []

    def step() -> None:
        begun.set()
        may_end.wait(10)
        started.append("a server")

    task = asyncio.ensure_future(to_its_end(step))
    await asyncio.to_thread(begun.wait, 10)
    task.cancel()
    await asyncio.wait([task], timeout=0.01)
    assert not task.done()
    may_end.set()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert started == ["a server"]


async def test_the_failure_of_a_cancelled_step_troubles_nobody() -> None:
    """Guarantee: a step that fails because everything is being stopped leaves no complaint behind."""
    begun, may_end = threading.Event(), threading.Event()

    def step() -> None:
        begun.set()
        may_end.wait(10)
        raise OSError

    task = asyncio.ensure_future(to_its_end(step))
    await asyncio.to_thread(begun.wait, 10)
    task.cancel()
    may_end.set()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_all_steps_end_before_an_error_is_raised() -> None:
    """Guarantee: the failure of one server's start does not leave another one's half done."""
    done = []

    def fail() -> None:
        raise OSError("no port")

    with pytest.raises(OSError, match="no port"):
        await all_to_their_end(fail, lambda: done.append("the other"))
    assert done == ["the other"]
