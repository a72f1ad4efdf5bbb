# SPDX-License-Identifier: GPL-3.0-or-later
"""One resume reaches every failed message of a topic on every worker, and says what became of each."""

import asyncio
from dataclasses import replace

import pytest

from investigator.delivery.errors import PermanentError
from investigator.delivery.halts import FailedMessage, HaltKey, HaltRecord, Outcome, ResumeAction
from investigator.delivery.ledger import CommitPosition
from investigator.delivery.resume import Resume
from tests.support.delivery_fakes import TOPIC, HandlerScript, message
from tests.support.delivery_worker import ONE, POLICY, ZERO, Worker, run_until
from tests.support.fake_halt_log import FakeHaltLog
from tests.support.virtual_time import in_virtual_time


def bad(failures: int = 9, *, seconds: float = 0.1) -> HandlerScript:
    """Return a handler whose failures are permanent."""
    return HandlerScript(seconds=seconds, failures=failures, error=lambda: PermanentError("bad"))


def pair() -> tuple[Worker, Worker]:
    """Return two workers of a group, with one partition each."""
    log = FakeHaltLog()
    return Worker(log=log, partitions=[ZERO]), Worker(log=log, name="other", partitions=[ONE])


async def commit_regularly(*workers: Worker) -> None:
    """Commit on each worker once a second."""
    while True:
        await asyncio.sleep(1)
        for worker in workers:
            worker.commit()


def listed(worker: Worker) -> set[tuple[int, int]]:
    """Return the failed messages that a worker lists."""
    records = worker.halt_coordinator.table.records(TOPIC).values()
    return {(record.cause.partition, record.cause.offset) for record in records if record.cause is not None}


def outcomes(resume: Resume) -> dict[tuple[int, int], Outcome]:
    """Return what became of each message."""
    return {(each.failed.partition, each.failed.offset): each.outcome for each in resume.results()}


@pytest.mark.parametrize(
    ("action", "failures", "expected"),
    [
        (ResumeAction.RETRY, 9, Outcome.HALTED),
        (ResumeAction.RETRY, 1, Outcome.HANDLED),
        (ResumeAction.SKIP, 9, Outcome.SKIPPED),
        (ResumeAction.DEAD_LETTER, 9, Outcome.DEAD_LETTERED),
    ],
)
@in_virtual_time
async def test_one_resume_reaches_every_failed_message(action: ResumeAction, failures: int, expected: Outcome) -> None:
    """Three messages failed on two workers. The answer has the outcome of each; until then each is listed."""
    workers = first, other = pair()
    committing = asyncio.create_task(commit_regularly(*workers))
    first.receive(bad(failures), bad(failures))
    other.receive(bad(failures), partition=1)
    failed = {(0, 0), (0, 1), (1, 0)}
    await run_until(10)
    assert listed(first) == listed(other) == failed
    resume = other.halt_coordinator.resume(TOPIC, by="operator", action=action)
    for number in range(1, 30):
        await run_until(10 + number / 10)
        settled = {each for each, outcome in outcomes(resume).items() if outcome not in (Outcome.PENDING, expected)}
        assert not settled
        unsettled = {each for each in failed if outcomes(resume).get(each) in (None, Outcome.PENDING, Outcome.HALTED)}
        assert unsettled <= listed(other)
    results = await resume.wait(0)
    assert outcomes(resume) == dict.fromkeys(failed, expected)
    assert resume.ended.is_set()
    assert {each.error for each in results} == {"PermanentError: bad" if expected is Outcome.HALTED else None}
    assert listed(first) == listed(other) == (failed if expected is Outcome.HALTED else set())
    assert sorted(first.dead_letters.offsets() + other.dead_letters.offsets()) == (
        [0, 0, 1] if action is ResumeAction.DEAD_LETTER else []
    )
    committing.cancel()


@in_virtual_time
async def test_a_message_that_fails_again_holds_up_no_other_decision() -> None:
    """The retried message on one worker halts the topic at once; the slow one on the other worker has its retry too."""
    first, other = pair()
    first.receive(bad())
    slow = bad(1, seconds=30)
    other.receive(slow, partition=1)
    await run_until(40)
    assert listed(first) == {(0, 0), (1, 0)}
    resume = first.halt_coordinator.resume(TOPIC, by="operator")
    await run_until(50)
    assert outcomes(resume) == {(0, 0): Outcome.HALTED, (1, 0): Outcome.PENDING}
    assert listed(first) == {(0, 0), (1, 0)}, "the message that is retried stays listed"
    await run_until(80)
    other.commit()
    await run_until(81)
    assert outcomes(resume) == {(0, 0): Outcome.HALTED, (1, 0): Outcome.HANDLED}
    assert slow.ended


@in_virtual_time
async def test_a_later_resume_replaces_a_decision_that_is_not_applied_yet() -> None:
    """A message is retried for half a minute; an operator then decides to skip it, and it fails."""
    worker = Worker()
    worker.receive(bad(seconds=30))
    await run_until(31)
    first = worker.halt_coordinator.resume(TOPIC, by="operator")
    await run_until(40)
    second = worker.halt_coordinator.resume(TOPIC, by="operator", action=ResumeAction.SKIP)
    await run_until(62)
    worker.commit()
    await run_until(63)
    assert outcomes(first) == outcomes(second) == {(0, 0): Outcome.SKIPPED}
    assert not worker.halt_coordinator.is_halted(TOPIC)


@in_virtual_time
async def test_a_resume_waits_for_a_bounded_time() -> None:
    """The message is pending then, with its last error."""
    worker = Worker()
    worker.receive(bad(1, seconds=100))
    await run_until(101)
    resume = worker.halt_coordinator.resume(TOPIC, by="operator")
    (result,) = await resume.wait(15)
    assert round(asyncio.get_running_loop().time()) == 116
    assert (result.outcome, result.error) == (Outcome.PENDING, "PermanentError: bad")


@pytest.mark.parametrize("action", [ResumeAction.SKIP, ResumeAction.DEAD_LETTER])
@in_virtual_time
async def test_a_decision_outlives_a_crash_before_the_commit(action: ResumeAction) -> None:
    """The next owner receives the message again, and follows the decision instead of processing it."""
    first = Worker()
    first.receive(bad())
    await run_until(10)
    first.halt_coordinator.resume(TOPIC, by="operator", action=action)
    await run_until(11)
    assert first.commit_offset() == 1
    first.log_client.is_closed = True
    second, script = Worker(log=first.log), HandlerScript()
    second.receive(script)
    await run_until(20)
    assert not script.started
    assert second.commit_offset() == 1
    second.commit()
    await run_until(21)
    assert not listed(second)


@in_virtual_time
async def test_the_next_owner_follows_a_decision_while_the_topic_is_halted_again() -> None:
    """Another message halted the topic meanwhile; the decided one comes after one that has to wait."""
    first, other = pair()
    first.receive(HandlerScript(seconds=100), bad())
    other.receive(bad(), partition=1)
    await run_until(10)
    first.log_client.is_closed = True
    resume = other.halt_coordinator.resume(TOPIC, by="operator", action=ResumeAction.SKIP)
    other.submit([message(1, bad(), partition=1)])
    await run_until(20)
    assert other.halt_coordinator.is_halted(TOPIC)
    second, waiting = Worker(log=first.log, name="second", partitions=[ZERO]), HandlerScript()
    second.receive(waiting, bad())
    await run_until(30)
    second.commit()
    other.commit()
    await run_until(31)
    assert outcomes(resume) == {(0, 1): Outcome.SKIPPED, (1, 0): Outcome.SKIPPED}
    assert not waiting.started, "the topic is halted"


@in_virtual_time
async def test_a_retry_waits_while_an_operator_halts_the_topic() -> None:
    """A halt by hand stops all processing; a skip needs none."""
    for action, expected in ((ResumeAction.RETRY, Outcome.PENDING), (ResumeAction.SKIP, Outcome.SKIPPED)):
        worker = Worker(replace(POLICY, concurrency=1))
        start = asyncio.get_running_loop().time()
        worker.receive(bad(1))
        await run_until(start + 5)
        resume = worker.halt_coordinator.resume(TOPIC, by="operator", action=action)
        worker.halt_coordinator.halt(TOPIC, by="operator")
        await run_until(start + 10)
        worker.commit()
        await run_until(start + 11)
        assert outcomes(resume) == {(0, 0): expected}


@pytest.mark.parametrize("known_before", [True, False])
@pytest.mark.parametrize(("offset", "is_lifted"), [(4, True), (7, True), (5, False), (8, False)])
@in_virtual_time
async def test_a_halt_over_a_committed_message_is_lifted(offset: int, is_lifted: bool, known_before: bool) -> None:  # noqa: FBT001  a parameter of the test
    """The worker in which it failed crashed between commit and clear; the record is read before or after the commit."""
    log = FakeHaltLog()
    failed = FailedMessage(*message(offset).position, "bad", 5)
    worker = Worker(log=log)

    def halt() -> None:
        log.append(HaltKey(TOPIC, failed.position), HaltRecord(1, "crashed", failed))

    if known_before:
        halt()
        await run_until(1)
        assert worker.halt_coordinator.is_halted(TOPIC)
    worker.dispatcher.ledger.restore(ZERO, CommitPosition(5, frozenset({7})))
    if not known_before:
        halt()
    await run_until(2)
    assert worker.halt_coordinator.is_halted(TOPIC) is not is_lifted


@in_virtual_time
async def test_a_decision_in_advance_is_ignored(caplog: pytest.LogCaptureFixture) -> None:
    """A message that waits for its turn is processed, whatever the log says about it before it failed."""
    worker, script = Worker(), HandlerScript()
    position = message(0).position
    failed = FailedMessage(*position, "made up", 5)
    worker.log.append(HaltKey(TOPIC, position), HaltRecord(1, "someone", failed, ResumeAction.SKIP))
    await run_until(1)
    worker.receive(script)
    await run_until(5)
    assert script.ended
    assert "Ignored a decision about a message that had not failed" in caplog.text
