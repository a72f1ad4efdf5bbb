# SPDX-License-Identifier: GPL-3.0-or-later
"""An awaited coroutine may end at once, later, with an error, or not at all."""

import asyncio
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from investigator.streaming.eager_service import EagerWaitMixin


@pytest_asyncio.fixture
async def service() -> AsyncIterator[EagerWaitMixin]:
    """Return a running service."""
    service = EagerWaitMixin()
    await service.start()
    yield service
    await service.stop()


async def answer(after: asyncio.Event | None = None) -> int:
    """Return 42, after an event if one is passed."""
    if after is not None:
        await after.wait()
    return 42


async def test_a_coroutine_that_does_not_suspend_creates_no_task(service: EagerWaitMixin) -> None:
    """The loop runs nothing else meanwhile, and the other coroutines are closed, so none is left unawaited."""
    loop_ran = asyncio.Event()
    asyncio.get_running_loop().call_soon(loop_ran.set)
    done, results, stopped = await service.wait_first(answer(), asyncio.Event().wait())
    assert (len(done), results, stopped, loop_ran.is_set()) == (1, [42], False, False)


async def test_a_coroutine_that_suspends_continues_where_it_was(service: EagerWaitMixin) -> None:
    """It runs once, and its result is returned."""
    event = asyncio.Event()
    asyncio.get_running_loop().call_later(0.01, event.set)
    assert (await service.wait_first(answer(event), asyncio.Event().wait())).results == [42]


async def test_the_first_coroutine_is_cancelled_if_another_one_ends_before_it(service: EagerWaitMixin) -> None:
    """As when partitions are revoked while a message waits for room in its stream."""
    started, cancelled, suspended = [], [], asyncio.Event()

    async def put() -> None:
        started.append(1)
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            cancelled.append(1)
            raise

    asyncio.get_running_loop().call_later(0.01, suspended.set)
    assert (await service.wait_first(put(), suspended.wait())).results == [True]
    await asyncio.sleep(0)
    assert (started, cancelled) == ([1], [1])


@pytest.mark.parametrize("wait", [0.0, 0.01])
async def test_an_error_is_raised(service: EagerWaitMixin, wait: float) -> None:
    """Whether the coroutine raises before or after it suspends."""

    async def fail() -> None:
        if wait:
            await asyncio.sleep(wait)
        raise LookupError

    with pytest.raises(LookupError):
        await service.wait_first(fail(), asyncio.Event().wait())


async def test_a_stop_of_the_service_ends_a_wait(service: EagerWaitMixin) -> None:
    """Both one that is under way and one that begins after the stop."""
    waiting = asyncio.create_task(service.wait_first(asyncio.Event().wait()))
    await asyncio.sleep(0.01)
    await service.stop()
    assert (await waiting).stopped
    assert (await service.wait_first(answer())).stopped


async def test_events_and_futures_are_awaited_as_mode_does(service: EagerWaitMixin) -> None:
    """Only a coroutine can be started eagerly."""
    future = asyncio.get_running_loop().create_future()
    asyncio.get_running_loop().call_later(0.01, future.set_result, 7)
    assert (await service.wait_first(future)).results == [7]
