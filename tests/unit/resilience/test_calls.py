# SPDX-License-Identifier: GPL-3.0-or-later
"""Quick retries of one call, and how errors come out of it."""

import asyncio
import threading
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from investigator.delivery.current_message import bind_message, current_context
from investigator.delivery.errors import PermanentError, TemporaryError, UnavailableError
from investigator.resilience.breaker import Breaker
from investigator.resilience.calls import CallPolicy, Calls

POLICY = CallPolicy(threads=2, retry_budget=5.0, initial_backoff=0.001)


class Flaky:
    """Fails so often with an error, then answers."""

    def __init__(self, failures: int, error: Exception) -> None:
        self.calls = 0
        self._failures = failures
        self._error = error

    def __call__(self) -> int:
        """Tell the number of this call, if it does not fail."""
        self.calls += 1
        if self.calls <= self._failures:
            raise self._error
        return self.calls


def mapping(error: Exception) -> Exception:
    """Take lost connections for an outage, and ValueErrors for the message's fault."""
    if isinstance(error, ConnectionError):
        return UnavailableError(str(error))
    return PermanentError(str(error)) if isinstance(error, ValueError) else error


@pytest.fixture
def breaker() -> Breaker:
    """A closed breaker."""
    return Breaker("test")


@pytest.fixture
def calls(breaker: Breaker) -> Iterator[Calls]:
    """Calls with short pauses."""
    calls = Calls(breaker, POLICY, mapping)
    yield calls
    calls.close()


async def test_a_few_failures_are_not_noticed(calls: Calls) -> None:
    """A call is repeated at once, before the message loses an attempt."""
    assert await calls.run(Flaky(5, ConnectionError("reset"))) == 6


async def test_repeating_has_an_end(calls: Calls) -> None:
    """After so many tries the message's own policy decides."""
    flaky = Flaky(100, ConnectionError("reset"))
    with pytest.raises(UnavailableError, match="reset") as caught:
        await calls.run(flaky)
    assert flaky.calls == POLICY.max_attempts
    assert isinstance(caught.value.__cause__, ConnectionError)


async def test_repeating_has_an_end_in_time(breaker: Breaker) -> None:
    """However many tries are left: no message waits longer than one slow call would take."""
    calls = Calls(breaker, CallPolicy(threads=1, retry_budget=0.05, max_attempts=1000, initial_backoff=0.01), mapping)
    flaky = Flaky(10_000, TemporaryError("busy"))
    with pytest.raises(TemporaryError):
        await calls.run(flaky)
    assert flaky.calls < 20
    calls.close()


async def test_a_call_that_never_ends_is_given_up(breaker: Breaker) -> None:
    """A dependency that gets around the timeouts of its calls, as a stopped PostgreSQL does, holds no message up."""
    calls = Calls(breaker, CallPolicy(threads=1, retry_budget=0.05, timeout=0.05), mapping)
    never = threading.Event()
    with pytest.raises(UnavailableError, match=r"test did not answer within 0\.05 s"):
        await calls.run(never.wait)
    never.set()
    assert await calls.run(never.is_set)
    calls.close()


async def test_a_permanent_error_is_not_repeated(calls: Calls) -> None:
    """It could only come again."""
    flaky = Flaky(1, ValueError("bad"))
    with pytest.raises(PermanentError, match="bad"):
        await calls.run(flaky)
    assert flaky.calls == 1


async def test_a_defect_is_neither_repeated_nor_renamed(calls: Calls) -> None:
    """What the mapping does not know comes out as it is."""
    flaky = Flaky(1, AssertionError("ours"))
    with pytest.raises(AssertionError, match="ours"):
        await calls.run(flaky)
    assert flaky.calls == 1


async def test_the_pause_that_was_asked_for_is_kept(calls: Calls) -> None:
    """A short Retry-After is waited for right here."""
    loop = asyncio.get_running_loop()
    before = loop.time()
    assert await calls.run(Flaky(1, TemporaryError("busy", delay=0.1))) == 2
    assert loop.time() - before >= 0.1


async def test_messages_are_told_apart_by_the_engines_word(calls: Calls, breaker: Breaker) -> None:
    """Failures of three messages are an outage, of whichever tasks; without a word each task is one message."""
    with bind_message("one message"):
        ends = await asyncio.gather(
            *(calls.run(Flaky(100, TemporaryError("500"))) for _ in range(5)), return_exceptions=True
        )
    assert {type(end) for end in ends} == {TemporaryError}
    before = breaker.view
    others = [asyncio.create_task(calls.run(Flaky(100, TemporaryError("500")))) for _ in range(5)]
    await asyncio.wait(others, timeout=0.1)
    assert (before.is_open, breaker.view.is_open) == (False, True)
    for other in others:
        other.cancel()


async def test_what_the_engine_said_holds_in_tasks_that_a_handler_starts() -> None:
    """A handler may do several things at once, all for its message."""
    with bind_message("message"):
        inside = await asyncio.create_task(asyncio.sleep(0, current_context().message_key))
        told = await asyncio.gather(
            *(asyncio.to_thread(lambda: current_context().message_key) for _ in range(1)), asyncio.sleep(0)
        )
    assert (inside, told[0]) == ("message", "message")
    assert current_context().message_key is asyncio.current_task()


@given(st.integers(1, 50), st.floats(0, 1))
def test_pauses_grow_within_bounds(failed: int, chance: float) -> None:
    """Each is between half and all of twice the one before, up to the longest."""
    policy = CallPolicy(threads=1, retry_budget=1.0)
    whole = min(policy.initial_backoff * 2 ** (failed - 1), policy.max_backoff)
    assert whole / 2 <= policy.pause(failed, chance) <= whole


def test_the_policy_has_these_values() -> None:
    """The defaults are chosen with the reasons that stand beside them; whoever changes one is to know it."""
    assert CallPolicy(threads=1, retry_budget=1.0) == CallPolicy(1, 1.0, 6, 0.05, 2.0, 60.0)
