# SPDX-License-Identifier: GPL-3.0-or-later
"""What the watchdog takes for a worker that hangs, and what not; in seconds that it observes, without a clock."""

from collections.abc import Callable

import pytest

from investigator.streaming.watchdog import UNREACHABLE_SECONDS, Finding, Vitals, Watchdog

LIMIT, STOP_LIMIT = 120, 140


def healthy(second: int) -> Vitals:
    """Return the vitals of a worker with partitions, after a second of its life."""
    return Vitals(loop_turns=second, thread_turns=second, polls=20 * second, answers=2 * second, must_poll=True)


def found(vitals: Callable[[int], Vitals], seconds: int, step: float = 1.0) -> tuple[int, Finding] | None:
    """Return when and why a worker with these vitals is ended; None if it runs for that time.

    Args:
        vitals: returns them for each second.
        seconds: the number of observations.
        step: the time between two of them.
    """
    watchdog = Watchdog(LIMIT, STOP_LIMIT)
    for second in range(seconds):
        if finding := watchdog.observe(vitals(second), step):
            return second, finding
    return None


HANGS: dict[str, tuple[Callable[[int], Vitals], int]] = {
    "loop": (lambda second: healthy(second)._replace(loop_turns=7), LIMIT),
    "thread": (lambda second: healthy(second)._replace(thread_turns=7), LIMIT),
    "polls": (lambda second: healthy(second)._replace(polls=7), LIMIT),
    "answers": (lambda second: healthy(second)._replace(answers=7), int(UNREACHABLE_SECONDS)),
    "ended": (lambda second: healthy(second)._replace(ended=("coordination",)), 5),
    "stop": (lambda second: healthy(second)._replace(is_stopping=True, polls=7, ended=("thread",)), STOP_LIMIT),
}


@pytest.mark.parametrize("check", HANGS)
def test_a_worker_that_hangs_is_ended_after_the_limit(check: str) -> None:
    """Not before: what takes as long as allowed is no fault. The finding names the check."""
    vitals, limit = HANGS[check]
    assert found(vitals, limit) is None
    at, finding = found(vitals, 2 * limit) or pytest.fail("it was not ended")
    assert limit <= at <= limit + 1
    assert (finding.check, finding.seconds >= limit) == (check, True)


HEALTHY: dict[str, Callable[[int], Vitals]] = {
    "idle topics, halted topics or full buffers: polls turn and return nothing": healthy,
    "no partitions, or a rebalance of the group that takes an hour": (
        lambda second: healthy(second)._replace(polls=7, must_poll=False)
    ),
    "brokers that are unavailable for most of ten minutes, again and again": (
        lambda second: healthy(second)._replace(answers=second // 590)
    ),
    "one rebalance after the other, each with a pause of the polls": (
        lambda second: healthy(second)._replace(polls=second // 100)
    ),
    "an event loop that is busy for most of the limit, again and again": (
        lambda second: healthy(second)._replace(loop_turns=second // 100, thread_turns=second // 100)
    ),
    "a task that ended and was started again at once": (
        lambda second: healthy(second)._replace(ended=("fetcher",) if second % 4 == 0 else ())
    ),
}


@pytest.mark.parametrize("vitals", HEALTHY.values(), ids=HEALTHY.keys())
def test_a_healthy_worker_is_never_ended(vitals: Callable[[int], Vitals]) -> None:
    """Observed for two hours."""
    assert found(vitals, 7200) is None


def test_a_worker_that_was_suspended_is_not_ended_when_it_continues() -> None:
    """A laptop sleeps for a night, or a node stops the pod: nothing was observed, so nothing counts."""
    watchdog = Watchdog(LIMIT, STOP_LIMIT)
    for second in range(100):
        assert watchdog.observe(healthy(second), 1.0) is None
    for _ in range(50):  # not even again and again
        assert watchdog.observe(healthy(99), 30_000.0) is None


def test_a_worker_that_hangs_after_a_suspension_is_ended() -> None:
    """It continues without its rebalance, for example."""
    vitals, _ = HANGS["polls"]
    watchdog = Watchdog(LIMIT, STOP_LIMIT)
    watchdog.observe(vitals(0), 30_000.0)
    assert any(watchdog.observe(vitals(second), 1.0) for second in range(1, LIMIT + 2))


def test_an_orderly_stop_ends_tasks_and_polls() -> None:
    """That is no hang as long as the stop itself ends."""
    stopping = HANGS["stop"][0]
    assert found(stopping, STOP_LIMIT - 1) is None
