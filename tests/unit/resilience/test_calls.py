# SPDX-License-Identifier: GPL-3.0-or-later
"""Quick retries of one call, and the errors that it raises."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import closing

import pytest
from hypothesis import given
from hypothesis import strategies as st

from investigator.delivery.current_message import bind_message, current_context
from investigator.delivery.errors import PermanentError, TemporaryError, UnavailableError
from investigator.resilience.breaker_group import BreakerGroup
from investigator.resilience.calls import CallPolicy, Calls

POLICY = CallPolicy(threads=2, retry_budget=5.0, initial_backoff=0.001)


class Flaky:
    """A function that fails ``failures`` times with an error, then succeeds."""

    def __init__(self, failures: int, error: Exception) -> None:
        self.calls = 0
        self._failures = failures
        self._error = error

    def __call__(self) -> int:
        """Return the number of this call, unless it fails."""
        self.calls += 1
        if self.calls <= self._failures:
            raise self._error
        return self.calls


def mapping(error: Exception) -> Exception:
    """Map lost connections to an outage, and ValueErrors to permanent errors."""
    if isinstance(error, ConnectionError):
        return UnavailableError(str(error))
    return PermanentError(str(error)) if isinstance(error, ValueError) else error


@pytest.fixture
def breaker() -> BreakerGroup:
    """A group without any outage."""
    return BreakerGroup("test")


@pytest.fixture
def calls(breaker: BreakerGroup) -> Iterator[Calls]:
    """Calls with short pauses."""
    calls = Calls(breaker, POLICY, mapping)
    yield calls
    calls.close()


async def test_a_few_failures_do_not_reach_the_caller(calls: Calls) -> None:
    """Quick retries cost the message no attempt."""
    assert await calls.run(Flaky(5, ConnectionError("reset")), operation="work") == 6


async def test_the_number_of_attempts_is_bounded(calls: Calls) -> None:
    """Afterwards the message's retry policy decides."""
    flaky = Flaky(100, ConnectionError("reset"))
    with pytest.raises(UnavailableError, match="reset") as caught:
        await calls.run(flaky, operation="work")
    assert flaky.calls == POLICY.max_attempts
    assert isinstance(caught.value.__cause__, ConnectionError)


async def test_the_time_of_quick_retries_is_bounded(breaker: BreakerGroup) -> None:
    """No retry begins after the budget, however many attempts are left."""
    policy = CallPolicy(threads=1, retry_budget=0.05, max_attempts=1000, initial_backoff=0.01)
    flaky = Flaky(10_000, TemporaryError("busy"))
    with closing(Calls(breaker, policy, mapping)) as calls, pytest.raises(TemporaryError):
        await calls.run(flaky, operation="work")
    assert flaky.calls < 20


async def test_a_call_that_never_ends_times_out(breaker: BreakerGroup) -> None:
    """A dependency may circumvent the timeouts of its calls, as a stopped PostgreSQL does."""
    never = threading.Event()
    with closing(Calls(breaker, CallPolicy(threads=1, retry_budget=0.05, timeout=0.05), mapping)) as calls:
        with pytest.raises(UnavailableError, match=r"test did not answer within 0\.05 s"):
            await calls.run(never.wait, operation="work")
        never.set()
        assert await calls.run(never.is_set, operation="work")


async def test_a_permanent_error_is_not_repeated(calls: Calls) -> None:
    """A repetition could only fail again."""
    flaky = Flaky(1, ValueError("bad"))
    with pytest.raises(PermanentError, match="bad"):
        await calls.run(flaky, operation="work")
    assert flaky.calls == 1


async def test_an_unknown_error_is_neither_repeated_nor_mapped(calls: Calls) -> None:
    """A defect of the worker must not look like an error of the dependency."""
    flaky = Flaky(1, AssertionError("ours"))
    with pytest.raises(AssertionError, match="ours"):
        await calls.run(flaky, operation="work")
    assert flaky.calls == 1


async def test_a_short_retry_after_is_obeyed(calls: Calls) -> None:
    """The quick retry waits for that long."""
    loop = asyncio.get_running_loop()
    before = loop.time()
    assert await calls.run(Flaky(1, TemporaryError("busy", delay=0.1)), operation="work") == 2
    assert loop.time() - before >= 0.1


async def test_the_message_key_of_the_engine_identifies_a_message(calls: Calls, breaker: BreakerGroup) -> None:
    """Failures of three messages are an outage, in whatever tasks; without a key each task counts as one message."""
    with bind_message("one message"):
        ends = await asyncio.gather(
            *(calls.run(Flaky(100, TemporaryError("500")), operation="work") for _ in range(5)), return_exceptions=True
        )
    assert {type(end) for end in ends} == {TemporaryError}
    before = breaker.view
    others = [asyncio.create_task(calls.run(Flaky(100, TemporaryError("500")), operation="work")) for _ in range(5)]
    await asyncio.wait(others, timeout=0.1)
    assert (before.is_open, breaker.view.is_open) == (False, True)
    for other in others:
        other.cancel()


async def test_the_message_key_holds_in_tasks_and_threads_that_a_handler_starts() -> None:
    """All of them work for the handler's message."""
    with bind_message("message"):
        in_task = await asyncio.create_task(asyncio.sleep(0, current_context().message_key))
        in_thread = await asyncio.to_thread(lambda: current_context().message_key)
    assert (in_task, in_thread) == ("message", "message")
    assert current_context().message_key is asyncio.current_task()


@given(st.integers(1, 50), st.floats(0, 1))
def test_backoff_doubles_within_bounds(failures: int, jitter: float) -> None:
    """Each pause is between half of the full backoff and all of it."""
    policy = CallPolicy(threads=1, retry_budget=1.0)
    full = min(policy.initial_backoff * 2 ** (failures - 1), policy.max_backoff)
    assert full / 2 <= policy.backoff(failures, jitter) <= full


def test_the_policy_has_these_defaults() -> None:
    """Each has a reason in the policy's docstring; a change must be deliberate."""
    assert CallPolicy(threads=1, retry_budget=1.0) == CallPolicy(1, 1.0, 6, 0.05, 2.0, 60.0)
