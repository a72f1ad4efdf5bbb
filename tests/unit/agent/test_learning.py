# SPDX-License-Identifier: GPL-3.0-or-later
import asyncio

import pytest

from investigator.agent.learning import gather_all
from investigator.delivery.errors import PermanentError, TemporaryError


async def succeed_after(turns: int, done: list[int]) -> None:
    """Finish after this number of iterations of the event loop."""
    for _ in range(turns):
        await asyncio.sleep(0)
    done.append(turns)


async def fail(error: Exception) -> None:
    """Fail at once."""
    raise error


async def test_steps_run_concurrently() -> None:
    """A step does not wait for the ones before it."""
    done: list[int] = []

    await gather_all(succeed_after(3, done), succeed_after(1, done), succeed_after(2, done))

    assert done == [1, 2, 3]


async def test_without_steps_nothing_happens() -> None:
    """The list of solvers, for example, may be empty."""
    await gather_all()


async def test_an_error_is_raised_only_after_every_step_has_ended() -> None:
    """Otherwise a step could still run during the next attempt."""
    done: list[int] = []
    error = TemporaryError("unavailable")

    with pytest.raises(TemporaryError) as caught:
        await gather_all(fail(error), succeed_after(5, done))

    assert caught.value is error
    assert done == [5]


@pytest.mark.parametrize("retryable", [TemporaryError("unavailable"), KeyError("a bug")])
async def test_a_retryable_error_is_raised_before_a_permanent_one(retryable: Exception) -> None:
    """Otherwise the message would fail permanently, and the steps that another attempt could complete would be lost."""
    with pytest.raises(type(retryable)) as caught:
        await gather_all(fail(PermanentError("refused")), fail(retryable))

    assert caught.value is retryable


async def test_a_permanent_error_alone_is_raised() -> None:
    """Another attempt would not complete any step."""
    with pytest.raises(PermanentError):
        await gather_all(fail(PermanentError("refused")), succeed_after(1, []))


async def test_cancelling_cancels_every_step() -> None:
    """A worker that stops, or loses the partition, leaves no running step."""
    done: list[int] = []
    task = asyncio.create_task(gather_all(succeed_after(1000, done), succeed_after(2000, done)))
    await asyncio.sleep(0)

    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await asyncio.sleep(0)

    assert done == []
    assert len(asyncio.all_tasks()) == 1
