# SPDX-License-Identifier: GPL-3.0-or-later
"""When a breaker opens, how calls wait behind it, and how it closes again; all in virtual time."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest

from investigator.delivery.breaker import Breaker, BreakerPolicy, BreakerState
from investigator.delivery.errors import PermanentError, TemporaryError, UnavailableError
from tests.virtual_time import finished_at, in_virtual_time, settle

POLICY = BreakerPolicy()


@dataclass
class Dependency:
    """Something that calls are made to; ``trouble`` says what it answers, None for success."""

    trouble: Callable[[object], Exception | None] = lambda _: None
    calls: list[tuple[float, object]] = field(default_factory=list)

    async def answer(self, who: object) -> str:
        """Take one call and answer it after a hundredth of a second."""
        self.calls.append((asyncio.get_running_loop().time(), who))
        await asyncio.sleep(0.01)
        if error := self.trouble(who):
            raise error
        return f"hello {who}"

    def down(self, _: object) -> Exception:
        """Be the trouble of a dependency that is away."""
        return UnavailableError("connection refused")

    def times(self) -> list[float]:
        """Tell when the calls came."""
        return [round(time, 1) for time, _ in self.calls]


def ask(breaker: Breaker, dependency: Dependency, who: object) -> "asyncio.Task[str]":
    """Start a call for the message ``who``."""
    return asyncio.create_task(breaker.call(lambda: dependency.answer(who), who=who))


async def opened(dependency: Dependency) -> tuple[Breaker, "asyncio.Task[str]"]:
    """Give a breaker that ten calls have just opened, and the one of these that waits behind it."""
    breaker = Breaker("cluster")
    dependency.trouble = dependency.down
    calls = [ask(breaker, dependency, number) for number in range(10)]
    failed, (waiting,) = await asyncio.wait(calls, timeout=0.02)
    assert breaker.view.is_open
    assert all(isinstance(call.exception(), UnavailableError) for call in failed)
    return breaker, waiting


def failing(count: int, error: TemporaryError, messages: int = 1) -> BreakerState:
    """Give the state after that many failures in a row, one a second, of so many messages."""
    state = BreakerState(POLICY)
    for number in range(count):
        state.failed(float(number), f"message {number % messages}", error)
    return state


def test_ten_lost_connections_of_one_message_are_an_outage() -> None:
    """Ten failures in a row of the kind that concerns everybody open the breaker, even if only one message is about."""
    assert not failing(9, UnavailableError("reset")).is_open
    assert failing(10, UnavailableError("reset")).is_open


def test_ten_answers_500_for_one_message_are_that_messages_own_trouble() -> None:
    """A message that makes the other side fail is left to its own policy however often it is tried."""
    assert not failing(1000, TemporaryError("500")).is_open


def test_ten_answers_500_for_three_messages_are_an_outage() -> None:
    """Failures of any temporary kind count as an outage once three messages in a row meet nothing else."""
    assert not failing(10, TemporaryError("500"), messages=2).is_open
    assert failing(10, TemporaryError("500"), messages=3).is_open


def test_one_success_starts_the_count_anew() -> None:
    """Failures with any success in between are no outage."""
    state = BreakerState(POLICY)
    for number in range(100):
        state.failed(0.0, number, UnavailableError("reset"))
        if number % 9 == 8:
            state.succeeded()
        assert not state.is_open


def test_the_policy_has_these_values() -> None:
    """The defaults are chosen with the reasons that stand beside them; whoever changes one is to know it."""
    assert BreakerPolicy(10, 3, 1.0, 15.0, 60.0) == POLICY


def test_a_very_long_retry_after_is_not_obeyed() -> None:
    """A server that asks for a day is asked again within the policy's bound."""
    state = failing(10, UnavailableError("503", delay=86_400.0))
    assert state.probe_at == 9 + POLICY.longest_delay


@in_virtual_time
async def test_calls_go_straight_through_while_all_is_well() -> None:
    """A closed breaker adds no waiting and takes no turns."""
    dependency = Dependency()
    breaker = Breaker("cluster")
    answers = await asyncio.gather(*(ask(breaker, dependency, number) for number in range(100)))
    assert answers[99] == "hello 99"
    assert asyncio.get_running_loop().time() == pytest.approx(0.01)


@in_virtual_time
async def test_a_lone_500_is_raised_and_opens_nothing() -> None:
    """What is no outage is the caller's to see at once."""
    dependency = Dependency(trouble=lambda who: TemporaryError("500") if who == "bad" else None)
    breaker = Breaker("cluster")
    with pytest.raises(TemporaryError):
        await ask(breaker, dependency, "bad")
    assert not breaker.view.is_open
    assert await ask(breaker, dependency, "good") == "hello good"


@in_virtual_time
async def test_one_message_that_always_fails_among_others_never_opens_it() -> None:
    """A poisoned message does not slow down the others, even if its failures look like an outage."""
    dependency = Dependency(trouble=lambda who: UnavailableError("timeout") if who == "bad" else None)
    breaker = Breaker("cluster")
    for _ in range(50):
        with pytest.raises(UnavailableError):
            await ask(breaker, dependency, "bad")
        await ask(breaker, dependency, "good")
    assert not breaker.view.is_open


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
    probes = [who for _, who in dependency.calls]
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

    dependency.trouble = lambda who: None if who != "mine" else UnavailableError("only for the first")
    await breaker.call(lambda: dependency.answer("other"), who="mine", while_waiting=while_waiting)
    assert [what for what, _ in seen] == ["waits", "goes on"]
    assert seen[1][1] - seen[0][1] == pytest.approx(1.0, abs=0.1)


@in_virtual_time
async def test_the_view_says_what_an_operator_wants_to_know() -> None:
    """State, since when, how many wait, the next probe and the last error can be shown on a page."""
    breaker, _ = await opened(Dependency())
    view = breaker.view
    assert (view.name, view.is_open, view.failures, view.error) == ("cluster", True, 10, "connection refused")
    assert view.since == pytest.approx(0.01)
    assert view.next_probe == pytest.approx(1.01)
