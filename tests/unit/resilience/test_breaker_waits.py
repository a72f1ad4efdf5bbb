# SPDX-License-Identifier: GPL-3.0-or-later
"""How calls wait while a breaker is open, and how it closes; in virtual time."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from investigator.delivery.errors import PermanentError, UnavailableError
from investigator.resilience.breaker_group import BreakerGroup
from tests.support.virtual_time import finished_at, in_virtual_time, settle
from tests.unit.resilience.dependency import Dependency, ask, opened


@in_virtual_time
async def test_an_outage_of_any_length_causes_at_most_nine_errors() -> None:
    """Of a thousand messages in an outage of ten minutes, all but nine see no error."""
    dependency = Dependency()
    dependency.error_for = dependency.unavailable
    breaker = BreakerGroup("cluster")
    calls = []
    for number in range(1000):
        calls.append(ask(breaker, dependency, number))
        await asyncio.sleep(0.6)
    dependency.error_for = lambda _: None
    ends = await asyncio.gather(*calls, return_exceptions=True)
    assert sum(isinstance(end, Exception) for end in ends) == 9
    assert len(dependency.calls) < 1000 + 70


@in_virtual_time
async def test_one_call_at_a_time_probes_at_growing_intervals() -> None:
    """An open breaker makes one call after 1, 2, 4, 8 and then every 15 seconds, however many calls wait."""
    dependency = Dependency()
    await opened(dependency)
    dependency.calls.clear()
    await asyncio.sleep(62)
    assert dependency.times() == pytest.approx([1.0, 3.0, 7.0, 15.1, 30.1, 45.1, 60.1], abs=0.15)


@in_virtual_time
async def test_waiting_calls_take_turns_at_probing() -> None:
    """A call that can never succeed does not keep the breaker open: each probe is for another message."""
    dependency = Dependency()
    breaker, _ = await opened(dependency)
    waiting = [ask(breaker, dependency, f"message {number}") for number in range(4)]
    dependency.calls.clear()
    await asyncio.sleep(120)
    assert not any(call.done() for call in waiting)
    probes = [message_key for _, message_key in dependency.calls]
    assert probes[1:5] == ["message 0", "message 1", "message 2", "message 3"]
    assert probes[5:7] == probes[:2]


@in_virtual_time
async def test_a_retry_after_delays_the_next_probe() -> None:
    """A server that asks for a pause of 40 seconds gets it."""
    dependency = Dependency()
    _, call = await opened(dependency)
    dependency.error_for = lambda _: UnavailableError("503", delay=40.0)
    dependency.calls.clear()
    await asyncio.sleep(60)
    assert dependency.times() == pytest.approx([1.0, 41.0], abs=0.1)
    assert not call.done()


@in_virtual_time
async def test_the_first_success_releases_all_calls() -> None:
    """All waiting calls continue as soon as a probe succeeds."""
    dependency = Dependency()
    breaker, _ = await opened(dependency)
    later = [ask(breaker, dependency, f"later {number}") for number in range(40)]
    await asyncio.sleep(4)
    dependency.error_for = lambda _: None
    assert await finished_at(asyncio.gather(*later)) == pytest.approx(7, abs=0.2)
    assert not breaker.view.is_open


@in_virtual_time
async def test_a_permanent_error_shows_that_the_dependency_is_available() -> None:
    """A PermanentError of a probe closes the breaker and reaches the caller."""
    dependency = Dependency()
    breaker, call = await opened(dependency)
    dependency.error_for = lambda _: PermanentError("422")
    with pytest.raises(PermanentError):
        await call
    assert not breaker.view.is_open


@in_virtual_time
async def test_another_call_probes_if_the_probe_is_cancelled() -> None:
    """A halt or a shutdown may cancel the call that probes."""
    dependency = Dependency()
    breaker, probe = await opened(dependency)
    waiting = [ask(breaker, dependency, number) for number in range(3)]
    await asyncio.sleep(0.995)
    assert breaker._probing
    dependency.error_for = lambda _: None
    probe.cancel()
    await asyncio.gather(*waiting)
    assert not breaker.view.is_open


@in_virtual_time
async def test_another_call_probes_if_the_probe_is_cancelled_before_it_begins() -> None:
    """A call may be chosen for the probe and cancelled in the same moment."""
    dependency = Dependency()
    breaker, first = await opened(dependency)
    second = ask(breaker, dependency, "second")
    await settle()
    dependency.error_for = lambda _: None
    breaker._start_probe("create")
    first.cancel()
    assert await second == "hello second"


@in_virtual_time
async def test_waiting_calls_can_be_cancelled() -> None:
    """A halt or a shutdown ends the wait at once, and the queue is empty afterwards."""
    dependency = Dependency()
    breaker, call = await opened(dependency)
    waiting = [call, *(ask(breaker, dependency, number) for number in range(5))]
    await settle()
    for call in waiting:
        call.cancel()
    await asyncio.gather(*waiting, return_exceptions=True)
    assert breaker.view.waiting == 0
    dependency.error_for = lambda _: None
    assert await ask(breaker, dependency, "next") == "hello next"


@in_virtual_time
async def test_a_call_may_be_cancelled_and_released_in_the_same_moment() -> None:
    """The cancellation wins."""
    dependency = Dependency()
    breaker, _ = await opened(dependency)
    waiting = ask(breaker, dependency, "waiting")
    await settle()
    waiting.cancel()
    breaker._state.record_success("create", 1.0, 1.0)
    breaker._wake_waiters()
    with pytest.raises(asyncio.CancelledError):
        await waiting


@in_virtual_time
async def test_while_waiting_is_entered_for_the_wait_only() -> None:
    """The engine gives the message's slot to another message meanwhile."""
    dependency = Dependency()
    breaker, _ = await opened(dependency)
    seen: list[tuple[str, float]] = []

    @asynccontextmanager
    async def while_waiting(_what: str) -> AsyncIterator[None]:
        seen.append(("waits", asyncio.get_running_loop().time()))
        yield
        seen.append(("continues", asyncio.get_running_loop().time()))

    dependency.error_for = lambda message_key: None if message_key != "mine" else UnavailableError("only for the first")
    await breaker.call(
        lambda: dependency.answer("other"), operation="create", message_key="mine", while_waiting=while_waiting
    )
    assert [what for what, _ in seen] == ["waits", "continues"]
    assert seen[1][1] - seen[0][1] == pytest.approx(1.0, abs=0.1)
