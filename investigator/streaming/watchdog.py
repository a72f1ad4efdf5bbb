# SPDX-License-Identifier: GPL-3.0-or-later
"""Decide whether a worker hangs, from what it was seen to do; no clock, no thread.

The watchdog counts observed seconds, not clock time. A worker that was suspended, or whose node had no processor time
for it, was not observed meanwhile, and so nothing counts against it when it continues.
"""

from typing import NamedTuple

#: The most time that one observation can count for. Observations come once a second.
MAX_STEP_SECONDS = 2.0

#: How long a task may be over before that counts: an orderly stop ends tasks too, shortly before it is seen as a stop.
_ENDED_SECONDS = 5.0

#: How long no broker at all may answer. The client asks the bootstrap servers again long before.
UNREACHABLE_SECONDS = 600.0


class Vitals(NamedTuple):
    """What a worker was seen to do until now; the counters only grow.

    Args:
        loop_turns: turns of the event loop.
        thread_turns: turns of the consumer thread's event loop.
        polls: polls for messages that began.
        answers: answers of any broker to the consumer.
        must_poll: whether partitions are assigned, or Faust handles a rebalance, so that polls have to follow soon.
        is_stopping: whether the worker stops, orderly or after a crash.
        ended: the names of tasks and threads that ended, though the worker needs them.
    """

    loop_turns: int = 0
    thread_turns: int = 0
    polls: int = 0
    answers: int = 0
    must_poll: bool = False
    is_stopping: bool = False
    ended: tuple[str, ...] = ()


class Finding(NamedTuple):
    """Why a worker has to end.

    Args:
        check: the name of the check, for the log.
        reason: what was seen, in words that continue "because".
        seconds: for how long it was seen.
    """

    check: str
    reason: str
    seconds: float


class _Check:
    """Counts for how long a value has not changed while it should have."""

    def __init__(self, name: str, limit: float, reason: str) -> None:
        self._name, self._limit, self._reason = name, limit, reason
        self._last: object = None
        self._seconds = 0.0

    def observe(self, value: object, seconds: float, *, counts: bool = True) -> Finding | None:
        stalled = counts and value == self._last
        self._last = value
        self._seconds = self._seconds + seconds if stalled else 0.0
        return Finding(self._name, self._reason, self._seconds) if self._seconds >= self._limit else None


class Watchdog:
    """Checks the vitals of one worker.

    Args:
        limit: after this number of observed seconds without any progress a worker hangs.
        stop_limit: the same for a stop.
    """

    def __init__(self, limit: float, stop_limit: float) -> None:
        self._ended = _Check("ended", _ENDED_SECONDS, "a part of the Kafka client has ended and does not come back")
        self._loop = _Check("loop", limit, "its event loop is blocked")
        self._thread = _Check("thread", limit, "the event loop of its consumer thread is blocked")
        self._polls = _Check("polls", limit, "it has partitions and polls for no messages")
        self._answers = _Check("answers", UNREACHABLE_SECONDS, "no broker answers; see KAFKA_BOOTSTRAP_SERVERS")
        self._stop = _Check("stop", stop_limit, "its stop does not end")

    def observe(self, vitals: Vitals, seconds: float) -> Finding | None:
        """Return why the worker has to end; None while it is healthy.

        Args:
            vitals: what it was seen to do.
            seconds: the time since the previous observation.
        """
        step, runs = min(seconds, MAX_STEP_SECONDS), not vitals.is_stopping
        findings = (
            self._ended.observe(vitals.ended, step, counts=runs and bool(vitals.ended)),
            self._loop.observe(vitals.loop_turns, step),
            self._thread.observe(vitals.thread_turns, step, counts=runs),
            self._polls.observe(vitals.polls, step, counts=runs and vitals.must_poll),
            self._answers.observe(vitals.answers, step, counts=runs),
            self._stop.observe(vitals.is_stopping, step, counts=vitals.is_stopping),
        )
        return next(filter(None, findings), None)
