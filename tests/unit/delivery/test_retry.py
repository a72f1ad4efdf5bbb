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
class ScriptedSteps:
    """The steps of a message, each of which fails as its script says and then succeeds; records which ran when."""

    runs: list[tuple[float, str]] = field(default_factory=list)
    failed: list[tuple[str, int]] = field(default_factory=list)

    def step(self, name: str, *errors: BaseException) -> Step:
        """Return a step that raises these errors, one at each attempt."""
        script = iter(errors)

        async def run() -> None:
            self.runs.append((asyncio.get_running_loop().time(), name))
            await asyncio.sleep(0)
            if error := next(script, None):
                raise error

        return run

    async def run(self, steps: list[Step], policy: RetryPolicy = POLICY) -> Failure | None:
        """Run the steps as the dispatcher does."""
        return await run_with_retries(
            steps,
            policy,
            sleep=asyncio.sleep,
            on_failed_attempt=lambda error, failed: self.failed.append((str(error), failed)),
        )

    def names(self) -> list[str]:
        """Return which steps ran, in order."""
        return [name for _, name in self.runs]

    def times(self) -> list[float]:
        """Return when they ran."""
        return [time for time, _ in self.runs]


def errors(number: int) -> list[Exception]:
    """Return this number of errors."""
    return [ValueError(f"trouble {n}") for n in range(1, number + 1)]


@in_virtual_time
async def test_the_first_attempt_counts_among_the_attempts_of_the_policy() -> None:
    """Five attempts are five runs of the handler, not a first one and five more."""
    scripted = ScriptedSteps()
    failure = await scripted.run([scripted.step("only", *errors(9))])
    assert len(scripted.runs) == 5
    assert failure is not None
    assert (str(failure.error), failure.attempts) == ("trouble 5", 5)
    assert scripted.failed == [(f"trouble {n}", n) for n in range(1, 6)]


@in_virtual_time
async def test_the_pause_before_each_attempt_grows_by_one_backoff() -> None:
    """The pause before attempt i + 1 is i * backoff: 0.5, 1, 1.5, 2 seconds."""
    scripted = ScriptedSteps()
    await scripted.run([scripted.step("only", *errors(9))])
    assert scripted.times() == [0, 0.5, 1.5, 3.0, 5.0]


@in_virtual_time
async def test_there_is_no_pause_after_the_last_attempt() -> None:
    """A message whose retries are exhausted fails at once."""
    scripted = ScriptedSteps()
    await scripted.run([scripted.step("only", *errors(9))], RetryPolicy(max_attempts=1, backoff=60))
    assert asyncio.get_running_loop().time() == 0


@in_virtual_time
async def test_a_longer_retry_after_extends_the_pause() -> None:
    """A shorter one does not shorten the backoff."""
    scripted = ScriptedSteps()
    busy, hasty = TemporaryError("busy", delay=7), TemporaryError("busy", delay=0.01)
    await scripted.run([scripted.step("only", busy, hasty)])
    assert scripted.times() == [0, 7, 8]


@pytest.mark.parametrize("delay", [1e9, float("inf")])
def test_a_retry_after_is_limited(delay: float) -> None:
    """A Retry-After of years is a mistake; the message would block the commits of its partition all that time."""
    assert POLICY.pause(1, TemporaryError("busy", delay=delay)) == POLICY.max_delay


@pytest.mark.parametrize("delay", [-5, float("nan"), 0])
def test_an_invalid_retry_after_does_not_shorten_the_backoff(delay: float) -> None:
    """The backoff holds whatever the server sends."""
    assert POLICY.pause(2, TemporaryError("busy", delay=delay)) == 1


@in_virtual_time
async def test_a_permanent_error_is_not_retried() -> None:
    """Neither at the first attempt nor at a later one."""
    scripted = ScriptedSteps()
    failure = await scripted.run([scripted.step("only", *errors(1), PermanentError("no such index"))])
    assert len(scripted.runs) == 2
    assert failure is not None
    assert failure.attempts == 2


@in_virtual_time
async def test_a_step_that_succeeded_is_not_run_again_by_a_retry() -> None:
    """Only the failed step is repeated, so a handler of another mode does its work once."""
    scripted = ScriptedSteps()
    steps = [scripted.step("first"), scripted.step("second", *errors(2)), scripted.step("third")]
    assert await scripted.run(steps) is None
    assert scripted.names() == ["first", "second", "second", "second", "third"]


@in_virtual_time
async def test_a_step_that_succeeded_is_not_run_again_after_a_resume() -> None:
    """A failed message that is resumed continues at the failed step, with all of its attempts."""
    scripted = ScriptedSteps()
    steps = [scripted.step("first"), scripted.step("second", *errors(6)), scripted.step("third")]
    assert await scripted.run(steps) is not None
    assert await scripted.run(steps) is None
    assert scripted.names() == ["first", *["second"] * 7, "third"]


@in_virtual_time
async def test_a_cancelled_message_ends_as_cancelled() -> None:
    """A cancellation during an attempt or between two attempts is no failure."""
    scripted = ScriptedSteps()
    for delay in (0.05, 0.25):
        at_work = scripted.step("pauses", ValueError("trouble"))
        task = asyncio.create_task(scripted.run([lambda: asyncio.sleep(0.1), at_work]))
        await asyncio.sleep(delay)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    assert [text for text, _ in scripted.failed] == ["trouble"]


@pytest.mark.skipif(
    not hasattr(asyncio.Task, "cancelling"), reason="Python 3.10 cannot distinguish the two cancellations"
)
@in_virtual_time
async def test_a_cancellation_of_an_awaited_call_is_a_failed_attempt() -> None:
    """A handler may await a call that another task cancels; its message must not hang silently."""
    scripted = ScriptedSteps()
    assert await scripted.run([scripted.step("only", asyncio.CancelledError())]) is None
    assert scripted.failed == [("something that the handler awaited was cancelled", 1)]


@given(script=st.lists(st.integers(0, 3), max_size=4), attempts=st.integers(1, 6))
def test_steps_run_in_order_each_until_it_succeeds_once(script: list[int], attempts: int) -> None:
    """Whichever fail: no step starts before the previous one succeeded, and none runs after its own success."""
    scripted = ScriptedSteps()
    steps = [scripted.step(str(number), *errors(failures)) for number, failures in enumerate(script)]
    failure = run_in_virtual_time(scripted.run(steps, RetryPolicy(attempts)))
    expected = [str(number) for number, failures in enumerate(script) for _ in range(failures + 1)]
    assert scripted.names() == expected[: len(scripted.runs)]
    assert (failure is None) == (scripted.names() == expected) == all(failures < attempts for failures in script)


@given(progress=st.lists(st.booleans(), max_size=30), attempts=st.integers(1, 6))
def test_only_failures_without_progress_count(progress: list[bool], attempts: int) -> None:
    """A message that achieves something between its failures is never failed for their sum."""
    scripted, script = ScriptedSteps(), iter(progress)
    run = run_with_retries(
        [scripted.step("only", *errors(len(progress)))],
        RetryPolicy(attempts),
        sleep=asyncio.sleep,
        on_failed_attempt=lambda error, failed: scripted.failed.append((str(error), failed)),
        made_progress=lambda: next(script),
    )
    failure = run_in_virtual_time(run)
    in_a_row = "".join("P" if each else "." for each in progress).replace("P", " .").split()
    assert (failure is not None) == any(len(each) >= attempts for each in in_a_row)
    assert all(failed <= attempts for _, failed in scripted.failed)


class UnreadableError(Exception):
    """An error whose text cannot be read."""

    def __str__(self) -> str:
        raise ZeroDivisionError


def test_a_failure_has_a_text_whatever_the_error_is() -> None:
    """An error whose own code fails must not break the dispatcher."""
    assert str(Failure(ValueError("bad"), 1)) == "ValueError: bad"
    assert str(Failure(UnreadableError(), 1)) == f"UnreadableError: {safe_str(UnreadableError())}"
