# SPDX-License-Identifier: GPL-3.0-or-later
"""How calls wait behind an open breaker, and how it closes again; in virtual time."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from investigator.delivery.errors import PermanentError, UnavailableError
from investigator.resilience.breaker import Breaker
from tests.support.virtual_time import finished_at, in_virtual_time, settle
from tests.unit.resilience.dependency import Dependency, ask, opened


@in_virtual_time
async def test_an_outage_burns_at_most_nine_failures_whatever_its_length() -> None:
    """Of a thousand messages that come by in a ten-minute outage, all but nine never see an error."""
    dependency = Dependency()
    dependency.trouble = dependency.down
    breaker = Breaker("cluster")
    calls = []
    for number in range(1000):
        calls.append(ask(breaker, dependency, number))
        await asyncio.sleep(0.6)
    dependency.trouble = lambda _: None
    ends = await asyncio.gather(*calls, return_exceptions=True)
    assert sum(isinstance(end, Exception) for end in ends) == 9
    assert len(dependency.calls) < 1000 + 70


@in_virtual_time
async def test_one_call_at_a_time_probes_and_ever_more_rarely() -> None:
    """While it is open there is one call after 1, 2, 4, 8 and then every 15 seconds, however many wait."""
    dependency = Dependency()
    await opened(dependency)
    dependency.calls.clear()
    await asyncio.sleep(62)
    assert dependency.times() == pytest.approx([1.0, 3.0, 7.0, 15.1, 30.1, 45.1, 60.1], abs=0.15)


@in_virtual_time
async def test_waiting_calls_take_turns_at_probing() -> None:
    """One call that could never succeed cannot hold the breaker open: each probe is another message's."""
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
async def test_a_retry_after_puts_the_next_probe_off() -> None:
    """Whoever asks to be left alone for 40 seconds is left alone for 40 seconds."""
    dependency = Dependency()
    _, call = await opened(dependency)
    dependency.trouble = lambda _: UnavailableError("503", delay=40.0)
    dependency.calls.clear()
    await asyncio.sleep(60)
    assert dependency.times() == pytest.approx([1.0, 41.0], abs=0.1)
    assert not call.done()


@in_virtual_time
async def test_the_first_success_lets_everybody_go() -> None:
    """When a probe succeeds, all that wait go on at once: recovery is as prompt as the probe."""
    dependency = Dependency()
    breaker, _ = await opened(dependency)
    later = [ask(breaker, dependency, f"later {number}") for number in range(40)]
    await asyncio.sleep(4)
    dependency.trouble = lambda _: None
    assert await finished_at(asyncio.gather(*later)) == pytest.approx(7, abs=0.2)
    assert not breaker.view.is_open


@in_virtual_time
async def test_an_answer_that_says_no_shows_that_the_dependency_lives() -> None:
    """A PermanentError of a probe closes the breaker and reaches the caller."""
    dependency = Dependency()
    breaker, call = await opened(dependency)
    dependency.trouble = lambda _: PermanentError("422")
    with pytest.raises(PermanentError):
        await call
    assert not breaker.view.is_open


@in_virtual_time
async def test_a_cancelled_probe_hands_its_turn_on() -> None:
    """The end of the call that probes, by a halt or a shutdown, does not leave the others waiting for ever."""
    dependency = Dependency()
    breaker, probe = await opened(dependency)
    waiting = [ask(breaker, dependency, number) for number in range(3)]
    await asyncio.sleep(0.995)
    assert breaker._probing
    dependency.trouble = lambda _: None
    probe.cancel()
    await asyncio.gather(*waiting)
    assert not breaker.view.is_open


@in_virtual_time
async def test_a_probe_that_is_cancelled_before_it_begins_hands_its_turn_on() -> None:
    """Being called up and being cancelled may fall into one moment."""
    dependency = Dependency()
    breaker, first = await opened(dependency)
    second = ask(breaker, dependency, "second")
    await settle()
    dependency.trouble = lambda _: None
    assert breaker._timer
    breaker._timer.cancel()
    breaker._call_up()
    first.cancel()
    assert await second == "hello second"


@in_virtual_time
async def test_waiting_calls_can_be_cancelled() -> None:
    """A halt or a shutdown ends the wait at once, and leaves nothing behind in the queue."""
    dependency = Dependency()
    breaker, call = await opened(dependency)
    waiting = [call, *(ask(breaker, dependency, number) for number in range(5))]
    await settle()
    for call in waiting:
        call.cancel()
    await asyncio.gather(*waiting, return_exceptions=True)
    assert breaker.view.waiting == 0
    dependency.trouble = lambda _: None
    assert await ask(breaker, dependency, "next") == "hello next"


@in_virtual_time
async def test_cancelling_and_closing_in_the_same_moment_is_no_error() -> None:
    """A call that is cancelled while a success of another one releases it just ends."""
    dependency = Dependency()
    breaker, _ = await opened(dependency)
    waiting = ask(breaker, dependency, "waiting")
    await settle()
    waiting.cancel()
    breaker._state.succeeded()
    breaker._arrange()
    with pytest.raises(asyncio.CancelledError):
        await waiting


@in_virtual_time
async def test_a_call_tells_when_it_only_waits() -> None:
    """The caller's context is entered for the wait and left before the call is made anew, so that places are free."""
    dependency = Dependency()
    breaker, _ = await opened(dependency)
    seen: list[tuple[str, float]] = []

    @asynccontextmanager
    async def while_waiting(_what: str) -> AsyncIterator[None]:
        seen.append(("waits", asyncio.get_running_loop().time()))
        yield
        seen.append(("goes on", asyncio.get_running_loop().time()))

    dependency.trouble = lambda message_key: None if message_key != "mine" else UnavailableError("only for the first")
    await breaker.call(lambda: dependency.answer("other"), message_key="mine", while_waiting=while_waiting)
    assert [what for what, _ in seen] == ["waits", "goes on"]
    assert seen[1][1] - seen[0][1] == pytest.approx(1.0, abs=0.1)
