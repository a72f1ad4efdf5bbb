# SPDX-License-Identifier: GPL-3.0-or-later
"""Messages whose retries are exhausted, and the halts of their topics."""

import asyncio
from dataclasses import replace

from investigator.delivery.errors import PermanentError
from investigator.delivery.halts import FailedMessage, ResumeAction
from tests.support.delivery_fakes import OTHER_TOPIC, TOPIC, HandlerScript, message
from tests.support.delivery_worker import POLICY, Worker, end_times, run_until, start_times
from tests.support.virtual_time import in_virtual_time


def failing_script() -> HandlerScript:
    """Return a handler that fails in all attempts of the first round."""
    return HandlerScript(seconds=0, failures=3)


@in_virtual_time
async def test_a_message_without_attempts_left_halts_its_topic_and_is_not_committed() -> None:
    """The halt names it, and no commit passes it."""
    worker = Worker()
    worker.receive(failing_script(), HandlerScript(), HandlerScript())
    await run_until(20)
    halt = worker.halt_coordinator.current_halt(TOPIC)
    assert halt is not None
    (cause,) = halt.causes
    assert (cause.partition, cause.offset, cause.attempts, cause.error) == (0, 0, 3, "ValueError: trouble")
    assert (halt.since, halt.by) == (3, "worker")
    assert worker.commit_offset() == 0
    assert worker.observer.exhausted_offsets == [0]
    assert worker.halt_coordinator.current_halt(OTHER_TOPIC) is None


@in_virtual_time
async def test_no_message_of_a_halted_topic_starts() -> None:
    """Neither one from the stream nor an accepted one that waits for a slot or for its turn."""
    worker, failing = (
        Worker(replace(POLICY, concurrency=1)),
        HandlerScript(seconds=0, failures=9, error=lambda: PermanentError("no")),
    )
    waiting = [HandlerScript() for _ in range(5)]
    worker.receive(failing, *waiting, keys=[b"a", b"a"])
    await run_until(1)
    later = HandlerScript()
    worker.submit([message(6, later)])
    await run_until(100)
    assert start_times(failing, *waiting, later) == [[0], [], [], [], [], [], []]
    assert set(worker.waiting_for().values()) == {"its topic to be resumed", "its turn"}


@in_virtual_time
async def test_messages_in_progress_may_finish_when_their_topic_is_halted() -> None:
    """A running message is not cancelled, and one between two attempts has its other attempts."""
    worker = Worker()
    failing, at_work, pausing = (
        HandlerScript(0, failures=1, error=lambda: PermanentError("no")),
        HandlerScript(30),
        HandlerScript(0, failures=2),
    )
    worker.receive(failing, at_work, pausing)
    await run_until(100)
    assert end_times(at_work, pausing) == [[30], [3]]
    assert worker.commit_offset() == 0


@in_virtual_time
async def test_a_resumed_message_has_all_attempts_again() -> None:
    """The pauses start from the first one, too."""
    worker, failing, later = Worker(), HandlerScript(seconds=0, failures=5), HandlerScript()
    worker.receive(failing)
    await run_until(50)
    worker.submit([message(1, later)])
    await run_until(100)
    worker.resume()
    await run_until(200)
    assert start_times(failing, later) == [[0, 1, 3, 100, 101, 103], [100]]
    assert worker.halt_coordinator.current_halt(TOPIC) is None
    assert worker.commit_offset() == 2


@in_virtual_time
async def test_the_failed_message_is_retried_before_all_others_of_its_topic() -> None:
    """Even if others have waited for a slot since before the halt, and another topic holds all slots just then."""
    worker, failing = (
        Worker(replace(POLICY, concurrency=1)),
        HandlerScript(seconds=1, failures=1, error=lambda: PermanentError("no")),
    )
    waiting, other_topic = [HandlerScript() for _ in range(3)], [HandlerScript(10) for _ in range(2)]
    worker.receive(failing, *waiting)
    await run_until(0.5)
    worker.receive(*other_topic, topic=OTHER_TOPIC)
    await run_until(0.6)
    late = [HandlerScript(), HandlerScript()]
    worker.submit([message(4, late[0]), message(5, late[1])])
    await run_until(2)
    worker.resume()
    await run_until(100)
    first = min(script.started[0] for script in (*waiting, *late))
    assert failing.started[1] < first
    assert failing.ended


@in_virtual_time
async def test_several_failed_messages_are_all_retried_before_the_others() -> None:
    """They may have failed at any time before the resume."""
    worker = Worker(replace(POLICY, concurrency=2))
    failing, good = [HandlerScript(1, 3), HandlerScript(5, 3)], [HandlerScript() for _ in range(6)]
    worker.receive(*failing)
    await run_until(7)
    worker.submit(message(2 + number, script) for number, script in enumerate(good))
    await run_until(100)
    worker.resume()
    await run_until(200)
    assert max(script.started[3] for script in failing) <= min(script.started[0] for script in good)
    assert all(script.ended for script in (*failing, *good))


@in_virtual_time
async def test_a_skipped_message_is_committed_without_another_attempt() -> None:
    """The operator accepts the loss of this message, and of this one only."""
    worker, failing, later = Worker(), HandlerScript(seconds=0, failures=9), HandlerScript()
    worker.receive(failing)
    await run_until(50)
    worker.submit([message(1, later)])
    worker.resume(ResumeAction.SKIP)
    await run_until(60)
    assert len(failing.started) == 3
    assert end_times(failing, later) == [[], [51]]
    assert worker.commit_offset() == 2
    assert not worker.dead_letters.published
    assert worker.halt_coordinator.table.records(TOPIC), "after a crash before the commit, the message comes again"
    worker.commit()
    await run_until(61)
    assert not worker.halt_coordinator.table.records(TOPIC)


@in_virtual_time
async def test_an_operator_can_dead_letter_the_message() -> None:
    """With the action dead-letter it is published with its last error, whatever ack-on-fail says."""
    worker, failing = Worker(), HandlerScript(seconds=0, failures=9)
    worker.receive(failing, HandlerScript())
    await run_until(50)
    worker.resume(ResumeAction.DEAD_LETTER)
    await run_until(60)
    ((delivery, failure),) = worker.dead_letters.published
    assert (delivery.offset, str(failure), failure.attempts) == (0, "ValueError: trouble", 3)
    assert len(failing.started) == 3
    assert worker.commit_offset() == 2


@in_virtual_time
async def test_the_present_owner_of_the_message_applies_the_decision() -> None:
    """The worker in which it failed may have ended: another one skips or dead-letters it, as the log says."""
    for action, commit_offset, published in (
        (ResumeAction.SKIP, 1, []),
        (ResumeAction.DEAD_LETTER, 1, ["PermanentError: ValueError: trouble"]),
    ):
        first = Worker()
        first.receive(failing_script())
        await run_until(asyncio.get_running_loop().time() + 10)
        first.log_client.is_closed = True
        second, again = Worker(log=first.log), HandlerScript()
        second.resume(action)
        second.receive(again)
        await run_until(asyncio.get_running_loop().time() + 10)
        assert second.commit_offset() == commit_offset
        assert [str(failure) for _, failure in second.dead_letters.published] == published
        assert not again.started


@in_virtual_time
async def test_another_message_at_the_offset_of_a_skipped_one_is_not_skipped() -> None:
    """A topic that was deleted and recreated counts its offsets from zero again."""
    first = Worker()
    first.receive(failing_script())
    await run_until(10)
    first.log_client.is_closed = True
    worker, script = Worker(log=first.log), HandlerScript()
    worker.resume(ResumeAction.SKIP)
    await run_until(11)
    assert worker.halt_coordinator.table.records(TOPIC)
    recreated = message(0, script)
    worker.submit(
        [replace(recreated, origin=replace(recreated.origin, timestamp_ms=recreated.origin.timestamp_ms + 1))]
    )
    await run_until(20)
    assert end_times(script) == [[12]]


@in_virtual_time
async def test_an_operator_can_halt_a_topic() -> None:
    """No message starts on any worker until the topic is resumed; running ones finish."""
    worker, other = Worker(), Worker(name="other")
    other.log_client.log = worker.log
    worker.log.clients.append(other.log_client)
    at_work, next_one, elsewhere = HandlerScript(10), HandlerScript(), HandlerScript()
    worker.receive(at_work)
    await run_until(1)
    worker.halt_coordinator.halt(TOPIC, by="operator")
    worker.submit([message(1, next_one)])
    await run_until(2)
    other.receive(elsewhere, partition=1)
    await run_until(50)
    other.resume()
    await run_until(100)
    assert end_times(at_work, next_one, elsewhere) == [[10], [51], [51]]


@in_virtual_time
async def test_a_topic_is_not_halted_over_a_message_that_its_new_owner_has_processed() -> None:
    """The previous owner may halt the topic late, over a message that the new owner has finished: no operator acts."""
    owner, late = Worker(), Worker(name="late", partitions=())
    late.log_client.log = owner.log
    owner.log.clients.append(late.log_client)
    done, at_work = HandlerScript(), HandlerScript(10)
    owner.receive(done, at_work)
    await run_until(2)
    owner.commit()
    for offset in (0, 1):
        late.halt_coordinator.halt(TOPIC, cause=FailedMessage(*message(offset).position, "too late", 5))
    await run_until(3)
    halt = owner.halt_coordinator.current_halt(TOPIC)
    assert halt is not None
    assert [cause.offset for cause in halt.causes] == [1], "that one may still fail"
    await run_until(20)
    owner.commit()
    await run_until(21)
    assert late.halt_coordinator.current_halt(TOPIC) is None
    assert not owner.halt_coordinator.table.topics()
