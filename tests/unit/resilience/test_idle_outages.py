# SPDX-License-Identifier: GPL-3.0-or-later
"""The patience is that of calls: an outage that nothing waits for uses up none of it; in virtual time."""

import asyncio

import pytest

from investigator.delivery.errors import UnavailableError
from investigator.resilience.breaker_group import BreakerGroup, PatienceExhaustedError
from investigator.resilience.breaker_policy import BreakerPolicy
from tests.support.virtual_time import in_virtual_time
from tests.unit.resilience.dependency import Dependency, ask

PATIENCE = 60.0


async def abandoned(breaker: BreakerGroup, failing: Dependency) -> None:
    """Open the breaker of an operation whose failure is its own, and cancel all calls that wait for it."""
    calls = [ask(breaker, failing, number, "create") for number in range(12)]
    _, waiting = await asyncio.wait(calls, timeout=0.02)
    await ask(breaker, Dependency(), "other", "count")
    for call in waiting:
        call.cancel()
    await asyncio.wait(waiting)


async def patience_of(call: "asyncio.Task[str]") -> float:
    """Return how many seconds a call waits until its patience is exhausted."""
    began = asyncio.get_running_loop().time()
    with pytest.raises(PatienceExhaustedError):
        await call
    return asyncio.get_running_loop().time() - began


@pytest.mark.parametrize("independent", [False, True])
@pytest.mark.parametrize("idle", [20.0, 59.0, 61.0, 290.0])
@in_virtual_time
async def test_a_lone_message_has_its_patience_after_a_time_without_waits(idle: float, *, independent: bool) -> None:
    """Otherwise it would use all its attempts within seconds, although nothing has waited for the operation."""
    failing = Dependency()
    failing.error_for = failing.unavailable
    breaker = BreakerGroup("cluster", BreakerPolicy(patience=PATIENCE, independent=independent))
    await abandoned(breaker, failing)
    await asyncio.sleep(idle)
    waited = await patience_of(ask(breaker, failing, "lone", "create"))
    assert PATIENCE <= waited <= PATIENCE + 16


@in_virtual_time
async def test_a_long_retry_after_is_no_time_without_waits() -> None:
    """A call that comes before the next probe is due, or soon after that, does not restart the patience."""
    failing = Dependency(error_for=lambda _: UnavailableError("503", delay=50.0))
    breaker = BreakerGroup("cluster", BreakerPolicy(patience=PATIENCE, independent=True))
    calls = [ask(breaker, failing, number, "create") for number in range(12)]
    _, (first, *others) = await asyncio.wait(calls, timeout=0.02)
    for call in others:
        call.cancel()
    await asyncio.sleep(45)
    ends = await asyncio.gather(first, ask(breaker, failing, "late", "create"), return_exceptions=True)
    assert {type(end) for end in ends} == {PatienceExhaustedError}
    assert PATIENCE <= asyncio.get_running_loop().time() <= 2 * 50 + 1
    await asyncio.sleep(45)
    assert await patience_of(ask(breaker, failing, "later", "create")) < 10


@in_virtual_time
async def test_a_call_that_joins_a_slow_probe_does_not_restart_the_patience() -> None:
    """The call that probes is waiting as well."""

    async def time_out() -> None:
        await asyncio.sleep(30)
        raise UnavailableError("timeout")

    breaker = BreakerGroup("cluster", BreakerPolicy(patience=PATIENCE, independent=True))
    calls = [
        asyncio.create_task(breaker.call(time_out, operation="create", message_key=number)) for number in range(10)
    ]
    await asyncio.sleep(51)  # 30 s after the first calls a probe began, and it is in progress for 20 s
    late = asyncio.create_task(breaker.call(time_out, operation="create", message_key="late"))
    ends = await asyncio.gather(*calls, late, return_exceptions=True)
    assert {type(end) for end in ends} == {UnavailableError, PatienceExhaustedError}
    assert 30 + PATIENCE <= asyncio.get_running_loop().time() <= 30 + PATIENCE + 5
