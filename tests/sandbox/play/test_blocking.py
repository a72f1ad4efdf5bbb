# SPDX-License-Identifier: GPL-3.0-or-later
import asyncio
import threading

import pytest

from sandbox.play.blocking import run_all_to_completion, run_to_completion


async def test_a_cancellation_takes_effect_after_the_function_has_returned() -> None:
    """So the caller's clean-up stops a server that the function started after the cancellation."""
    entered, may_return, started = threading.Event(), threading.Event(), []

    def start_server() -> None:
        entered.set()
        may_return.wait(10)
        started.append("a server")

    task = asyncio.ensure_future(run_to_completion(start_server))
    await asyncio.to_thread(entered.wait, 10)
    task.cancel()
    await asyncio.wait([task], timeout=0.01)
    assert not task.done()
    may_return.set()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert started == ["a server"]


async def test_after_a_cancellation_an_error_of_the_function_is_not_reported() -> None:
    """The error is retrieved; otherwise asyncio would log it as never retrieved, and pytest would fail this test."""
    entered, may_return = threading.Event(), threading.Event()

    def fail() -> None:
        entered.set()
        may_return.wait(10)
        raise OSError

    task = asyncio.ensure_future(run_to_completion(fail))
    await asyncio.to_thread(entered.wait, 10)
    task.cancel()
    may_return.set()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_all_functions_return_before_an_error_is_raised() -> None:
    """If the start of one server fails, the start of another one is not left unfinished."""
    done = []

    def fail() -> None:
        raise OSError("no port")

    with pytest.raises(OSError, match="no port"):
        await run_all_to_completion(fail, lambda: done.append("the other"))
    assert done == ["the other"]
