# SPDX-License-Identifier: GPL-3.0-or-later
"""What a service waits for may end at once, later, badly or not at all."""

import asyncio
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from investigator.streaming.eager_service import EagerWaitMixin


@pytest_asyncio.fixture
async def service() -> AsyncIterator[EagerWaitMixin]:
    """Give a service that runs."""
    service = EagerWaitMixin()
    await service.start()
    yield service
    await service.stop()


async def answer(after: asyncio.Event | None = None) -> int:
    """Answer, after something else where that is wanted."""
    if after is not None:
        await after.wait()
    return 42


async def test_what_ends_at_once_takes_no_task(service: EagerWaitMixin) -> None:
    """The loop does not even turn; what it was to be raced against is not left behind unawaited."""
    turned = asyncio.Event()
    asyncio.get_running_loop().call_soon(turned.set)
    done, results, stopped = await service.wait_first(answer(), asyncio.Event().wait())
    assert (len(done), results, stopped, turned.is_set()) == (1, [42], False, False)


async def test_what_has_to_wait_goes_on_where_it_was(service: EagerWaitMixin) -> None:
    """It is done once, and its result is given."""
    event = asyncio.Event()
    asyncio.get_running_loop().call_later(0.01, event.set)
    assert (await service.wait_first(answer(event), asyncio.Event().wait())).results == [42]


async def test_another_one_may_win(service: EagerWaitMixin) -> None:
    """As when partitions are taken away while a message waits for room: what waited is cancelled."""
    begun, cancelled, suspended = [], [], asyncio.Event()

    async def hand_on() -> None:
        begun.append(1)
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            cancelled.append(1)
            raise

    asyncio.get_running_loop().call_later(0.01, suspended.set)
    assert (await service.wait_first(hand_on(), suspended.wait())).results == [True]
    await asyncio.sleep(0)
    assert (begun, cancelled) == ([1], [1])


@pytest.mark.parametrize("wait", [0.0, 0.01])
async def test_an_error_is_raised(service: EagerWaitMixin, wait: float) -> None:
    """Whether it comes at once or later."""

    async def fail() -> None:
        if wait:
            await asyncio.sleep(wait)
        raise LookupError

    with pytest.raises(LookupError):
        await service.wait_first(fail(), asyncio.Event().wait())


async def test_the_end_of_the_service_ends_a_wait(service: EagerWaitMixin) -> None:
    """Be it while something waits, or before."""
    waiting = asyncio.create_task(service.wait_first(asyncio.Event().wait()))
    await asyncio.sleep(0.01)
    await service.stop()
    assert (await waiting).stopped
    assert (await service.wait_first(answer())).stopped


async def test_events_and_futures_are_waited_for_as_well(service: EagerWaitMixin) -> None:
    """Nothing is begun that is no coroutine."""
    future = asyncio.get_running_loop().create_future()
    asyncio.get_running_loop().call_later(0.01, future.set_result, 7)
    assert (await service.wait_first(future)).results == [7]
