# SPDX-License-Identifier: GPL-3.0-or-later
"""Attempts, pauses and outcomes, in virtual time."""

import asyncio
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from investigator.delivery.errors import PermanentError, TemporaryError
from investigator.delivery.policy import RetryPolicy
from investigator.delivery.retry import Failure, Step, run_with_retries, safe_str
from tests.support.virtual_time import in_virtual_time, run_in_virtual_time

POLICY = RetryPolicy(max_attempts=5, backoff=0.5)


@dataclass
class Handler:
    """A message's steps, each of which fails as its script says and then succeeds; notes when which one ran."""

    runs: list[tuple[float, str]] = field(default_factory=list)
    failed: list[tuple[str, int]] = field(default_factory=list)

    def step(self, name: str, *errors: BaseException) -> Step:
        """Make a step that raises these errors, one an attempt."""
        script = iter(errors)

        async def run() -> None:
            self.runs.append((asyncio.get_running_loop().time(), name))
            await asyncio.sleep(0)
            if error := next(script, None):
                raise error

        return run

    async def attempt(self, steps: list[Step], policy: RetryPolicy = POLICY) -> Failure | None:
        """Run the steps as the dispatcher does."""
        return await run_with_retries(
            steps,
            policy,
            sleep=asyncio.sleep,
            on_failed_attempt=lambda error, failed: self.failed.append((str(error), failed)),
        )

    def names(self) -> list[str]:
        """Tell which steps ran, in order."""
        return [name for _, name in self.runs]

    def times(self) -> list[float]:
        """Tell when they ran."""
        return [time for time, _ in self.runs]


def troubles(number: int) -> list[Exception]:
    """Make that many errors."""
    return [ValueError(f"trouble {n}") for n in range(1, number + 1)]


@in_virtual_time
async def test_the_attempts_of_the_policy_are_attempts_in_all() -> None:
    """Five attempts means five runs of the handler, not a first one and five more."""
    handler = Handler()
    failure = await handler.attempt([handler.step("only", *troubles(9))])
    assert len(handler.runs) == 5
    assert failure is not None
    assert (str(failure.error), failure.attempts) == ("trouble 5", 5)
    assert handler.failed == [(f"trouble {n}", n) for n in range(1, 6)]


@in_virtual_time
async def test_the_pause_before_each_attempt_grows_by_one_backoff() -> None:
    """Before attempt i + 1 the engine waits i * backoff: 0.5, 1, 1.5, 2 seconds."""
    handler = Handler()
    await handler.attempt([handler.step("only", *troubles(9))])
    assert handler.times() == [0, 0.5, 1.5, 3.0, 5.0]


@in_virtual_time
async def test_no_time_is_lost_after_the_last_attempt() -> None:
    """A message that is given up is given up at once."""
    handler = Handler()
    await handler.attempt([handler.step("only", *troubles(9))], RetryPolicy(max_attempts=1, backoff=60))
    assert asyncio.get_running_loop().time() == 0


@in_virtual_time
async def test_the_other_side_is_left_alone_for_as_long_as_it_asks() -> None:
    """A Retry-After that is longer than the backoff is waited for; a shorter one does not shorten the backoff."""
    handler = Handler()
    busy, hasty = TemporaryError("busy", delay=7), TemporaryError("busy", delay=0.01)
    await handler.attempt([handler.step("only", busy, hasty)])
    assert handler.times() == [0, 7, 8]


@pytest.mark.parametrize("delay", [1e9, float("inf")])
def test_nobody_is_left_alone_for_ever(delay: float) -> None:
    """A Retry-After of years is a mistake; the message would block the commits of its partition all that time."""
    assert POLICY.pause(1, TemporaryError("busy", delay=delay)) == POLICY.max_delay


@pytest.mark.parametrize("delay", [-5, float("nan"), 0])
def test_a_delay_that_makes_no_sense_does_not_shorten_the_backoff(delay: float) -> None:
    """The backoff holds whatever the other side sends."""
    assert POLICY.pause(2, TemporaryError("busy", delay=delay)) == 1


@in_virtual_time
async def test_a_permanent_error_is_not_tried_again() -> None:
    """What can't end otherwise is not repeated, be it at the first attempt or at a later one."""
    handler = Handler()
    failure = await handler.attempt([handler.step("only", *troubles(1), PermanentError("no such index"))])
    assert len(handler.runs) == 2
    assert failure is not None
    assert failure.attempts == 2


@in_virtual_time
async def test_a_step_that_succeeded_is_not_run_again_by_a_retry() -> None:
    """Only what failed is repeated, so a handler of another mode does its work once."""
    handler = Handler()
    steps = [handler.step("first"), handler.step("second", *troubles(2)), handler.step("third")]
    assert await handler.attempt(steps) is None
    assert handler.names() == ["first", "second", "second", "second", "third"]


@in_virtual_time
async def test_a_step_that_succeeded_is_not_run_again_after_a_resume() -> None:
    """A message that was given up and is tried again goes on where it failed, with all of its attempts."""
    handler = Handler()
    steps = [handler.step("first"), handler.step("second", *troubles(6)), handler.step("third")]
    assert await handler.attempt(steps) is not None
    assert await handler.attempt(steps) is None
    assert handler.names() == ["first", *["second"] * 7, "third"]


@in_virtual_time
async def test_who_cancels_the_message_is_obeyed() -> None:
    """A message that is let go, at work or between two attempts, ends as cancelled and is no failure."""
    handler = Handler()
    for delay in (0.05, 0.25):
        at_work = handler.step("pauses", ValueError("trouble"))
        task = asyncio.create_task(handler.attempt([lambda: asyncio.sleep(0.1), at_work]))
        await asyncio.sleep(delay)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    assert [text for text, _ in handler.failed] == ["trouble"]


@pytest.mark.skipif(not hasattr(asyncio.Task, "cancelling"), reason="Python 3.10 has no means to tell them apart")
@in_virtual_time
async def test_a_cancellation_that_nobody_asked_for_is_a_failed_attempt() -> None:
    """A handler that waits for something that others cancel fails; its message must not hang silently for ever."""
    handler = Handler()
    assert await handler.attempt([handler.step("only", asyncio.CancelledError())]) is None
    assert handler.failed == [("something that the handler awaited was cancelled", 1)]


@given(script=st.lists(st.integers(0, 3), max_size=4), attempts=st.integers(1, 6))
def test_steps_run_in_order_each_until_it_succeeds_once(script: list[int], attempts: int) -> None:
    """Whatever fails how often: no step begins before the one before it is done, and none runs beyond its success."""
    handler = Handler()
    steps = [handler.step(str(position), *troubles(failures)) for position, failures in enumerate(script)]
    failure = run_in_virtual_time(handler.attempt(steps, RetryPolicy(attempts)))
    expected = [str(position) for position, failures in enumerate(script) for _ in range(failures + 1)]
    assert handler.names() == expected[: len(handler.runs)]
    assert len(handler.failed) == min(sum(script), attempts)
    assert (failure is None) == (handler.names() == expected) == (sum(script) < attempts)


class UnspeakableError(Exception):
    """An error whose text can't be made."""

    def __str__(self) -> str:
        raise ZeroDivisionError


def test_a_failure_can_be_told_whatever_the_error_is() -> None:
    """An error that can't say what it is must not take the worker's own bookkeeping down with it."""
    assert str(Failure(ValueError("bad"), 1)) == "ValueError: bad"
    assert str(Failure(UnspeakableError(), 1)) == f"UnspeakableError: {safe_str(UnspeakableError())}"
