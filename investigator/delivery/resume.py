# SPDX-License-Identifier: GPL-3.0-or-later
"""One resume of a topic: which failed messages it reached, and what became of each, on whichever worker."""

import asyncio
import contextlib
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from investigator.delivery.halts import (
    FailedMessage,
    HaltKey,
    HaltRecord,
    HaltTable,
    LogEntry,
    Outcome,
    ResumeAction,
    Settlement,
)
from investigator.delivery.origin import MessagePosition
from investigator.delivery.ports import HaltLog

# An operator waits for seconds; a resume whose messages are pending for longer is followed until others push it out.
_FOLLOWED_RESUMES = 100


@dataclass(frozen=True)
class ResumeResult:
    """What became of one failed message: its outcome, and its last failure."""

    failed: FailedMessage
    outcome: Outcome = Outcome.PENDING

    @property
    def error(self) -> str | None:
        """The error of the message, as long as it is not settled."""
        return self.failed.error if self.outcome in (Outcome.PENDING, Outcome.HALTED) else None

    def to_json(self, redact: Callable[[str], str]) -> dict[str, Any]:
        """Return the result as an object for scripts; `redact` removes passwords from its error."""
        content = {"partition": self.failed.partition, "offset": self.failed.offset, "result": self.outcome.value}
        return {**content, "error": None if self.error is None else redact(self.error)}


class Resume:
    """Follows the messages of one resume in the halt log, whose records say what the workers did.

    Attributes:
        written: set when the log has all decisions of the resume.
        ended: set when, besides, no message is pending.
    """

    def __init__(self, topic: str, on_written: Callable[[], None]) -> None:
        self.written = asyncio.Event()
        self.ended = asyncio.Event()
        self.topic = topic
        self._on_written = on_written
        self._decisions: Mapping[MessagePosition, HaltRecord] = {}
        #: Decisions that were not read back from the log yet: what it says before them is about an earlier failure.
        self._unread: set[MessagePosition] = set()
        self._results: dict[MessagePosition, ResumeResult] = {}

    def begin(self, decisions: Mapping[MessagePosition, HaltRecord]) -> None:
        """Follow the messages about which the resume decided."""
        self._decisions, self._unread = decisions, set(decisions)
        self._results = {each: ResumeResult(made.cause) for each, made in decisions.items() if made.cause is not None}

    def set_written(self) -> None:
        """Record that the log has all decisions."""
        self.written.set()
        self._on_written()
        self._end_if_settled()

    def results(self) -> list[ResumeResult]:
        """Return what became of each message so far, in the order of partitions and offsets."""
        return [self._results[position] for position in sorted(self._results)]

    async def wait(self, seconds: float) -> list[ResumeResult]:
        """Wait until no message is pending, for at most this time; return what became of each."""
        with contextlib.suppress(asyncio.TimeoutError):  # the results say which messages are pending
            await asyncio.wait_for(self.ended.wait(), seconds)
        return self.results()

    def observe(self, key: HaltKey, entry: LogEntry) -> None:
        """Note the next entry of the log."""
        position = key.position
        if key.topic != self.topic or position is None or position not in self._decisions:
            return
        if position in self._unread:
            self._unread -= {position} if entry == self._decisions[position] else set()
        else:
            self._results[position] = _next(self._results[position], entry)
        self._end_if_settled()

    def _end_if_settled(self) -> None:
        is_pending = any(each.outcome is Outcome.PENDING for each in self._results.values())
        if self.written.is_set() and not is_pending:
            self.ended.set()


def _next(result: ResumeResult, entry: LogEntry) -> ResumeResult:
    if isinstance(entry, HaltRecord):
        if entry.action is not None or entry.cause is None:
            return replace(result, outcome=Outcome.PENDING)
        return ResumeResult(entry.cause, Outcome.HALTED)
    if result.outcome is Outcome.PENDING:
        return replace(result, outcome=entry.outcome if isinstance(entry, Settlement) else Outcome.FINISHED)
    return result


class Resumes:
    """Writes the decisions of resumes, and follows what becomes of them.

    Args:
        log: the halt log.
        table: the records of the log that this worker has read.
        clock: returns the seconds since 1970.
    """

    def __init__(self, log: HaltLog, table: HaltTable, clock: Callable[[], float]) -> None:
        self._log = log
        self._table = table
        self._clock = clock
        self._followed: deque[Resume] = deque(maxlen=_FOLLOWED_RESUMES)

    def start(self, topic: str, on_written: Callable[[], None]) -> Resume:
        """Return a resume that is followed from now on."""
        resume = Resume(topic, on_written)
        self._followed.append(resume)
        return resume

    def observe(self, key: HaltKey, entry: LogEntry) -> None:
        """Note the next entry of the log."""
        for resume in list(self._followed):
            resume.observe(key, entry)
            if resume.ended.is_set():
                self._followed.remove(resume)

    def decide(self, resume: Resume, by: str, action: ResumeAction) -> None:
        """Write the decision about every failed message that is not settled."""
        # A message that halted its topic after the resume is not in the table yet: the operator has not seen it.
        decisions = {
            position: replace(record, since=self._clock(), by=by, action=action)
            for position, record in self._table.records(resume.topic).items()
            if position is not None
        }
        resume.begin(decisions)
        unwritten = set(decisions)

        def on_decision_written(position: MessagePosition, _offset: int) -> None:
            unwritten.discard(position)
            if not unwritten:
                resume.set_written()

        for position, record in decisions.items():
            self._log.publish(HaltKey(resume.topic, position), record, partial(on_decision_written, position))
        if not decisions:
            resume.set_written()
