# SPDX-License-Identifier: GPL-3.0-or-later
import asyncio

import pytest

from investigator.agent.learning import gather_all
from investigator.delivery.errors import PermanentError, TemporaryError


async def succeed_after(turns: int, done: list[int]) -> None:
    """Finish after so many turns of the event loop."""
    for _ in range(turns):
        await asyncio.sleep(0)
    done.append(turns)


async def fail(error: Exception) -> None:
    """Fail at once."""
    raise error


async def test_steps_run_side_by_side() -> None:
    """Whose order does not matter need not wait for each other."""
    done: list[int] = []

    await gather_all(succeed_after(3, done), succeed_after(1, done), succeed_after(2, done))

    assert done == [1, 2, 3]


async def test_no_step_at_all_is_fine() -> None:
    """A fan-out over nothing does nothing."""
    await gather_all()


async def test_a_failure_is_raised_only_when_every_step_has_ended() -> None:
    """What would run on behind the handler's back could meet the next attempt."""
    done: list[int] = []
    error = TemporaryError("away")

    with pytest.raises(TemporaryError) as caught:
        await gather_all(fail(error), succeed_after(5, done))

    assert caught.value is error
    assert done == [5]


@pytest.mark.parametrize("hopeful", [TemporaryError("away"), KeyError("a mistake of ours")])
async def test_a_permanent_failure_waits_for_what_another_attempt_may_mend(hopeful: Exception) -> None:
    """Otherwise the message would be given up with steps undone that could have been done."""
    with pytest.raises(type(hopeful)) as caught:
        await gather_all(fail(PermanentError("refused")), fail(hopeful))

    assert caught.value is hopeful


async def test_a_permanent_failure_alone_is_raised() -> None:
    """When nothing else is left to hope for, the message is given up."""
    with pytest.raises(PermanentError):
        await gather_all(fail(PermanentError("refused")), succeed_after(1, []))


async def test_cancelling_cancels_every_step() -> None:
    """A worker that stops, or loses the partition, leaves no step behind."""
    done: list[int] = []
    task = asyncio.create_task(gather_all(succeed_after(1000, done), succeed_after(2000, done)))
    await asyncio.sleep(0)

    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await asyncio.sleep(0)

    assert done == []
    assert len(asyncio.all_tasks()) == 1
