# SPDX-License-Identifier: GPL-3.0-or-later
"""Dead letters instead of halts, and unforeseen failures."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace

import pytest

from investigator.delivery.dead_letter_limit import DeadLetterLimit, DeadLetterLimiter
from investigator.delivery.errors import PermanentError
from investigator.delivery.halts import ResumeAction
from investigator.delivery.ledger import Partition
from investigator.delivery.messages import Delivery
from investigator.delivery.retry import Failure, Step
from tests.support.delivery_fakes import OTHER_TOPIC, TOPIC, FakeDeadLetters, HandlerScript, RecordingObserver, message
from tests.support.delivery_worker import POLICY, ZERO, Worker, end_times, run_until
from tests.support.virtual_time import in_virtual_time


@in_virtual_time
async def test_with_ack_on_fail_a_failed_message_becomes_a_dead_letter() -> None:
    """Its topic is not halted. Its offset may be committed once the broker has the dead letter, not before."""
    worker, failing, later = (
        Worker(dead_letters=FakeDeadLetters({TOPIC}, seconds=5)),
        HandlerScript(seconds=0, failures=9),
        HandlerScript(),
    )
    worker.receive(failing, later)
    await run_until(7.9)
    assert worker.commit_offset() == 0
    await run_until(8)
    assert worker.commit_offset() == 2
    assert worker.dead_letters.offsets() == [0]
    assert worker.dead_letters.successes == [1]
    assert worker.halt_coordinator.current_halt(TOPIC) is None


@in_virtual_time
async def test_writing_a_dead_letter_holds_no_slot() -> None:
    """A broker that is slow to store the dead letters of one topic does not stop the others."""
    worker = Worker(replace(POLICY, concurrency=1), dead_letters=FakeDeadLetters({TOPIC}, seconds=1000))
    other = HandlerScript()
    worker.receive(*(HandlerScript(0, failures=9, error=lambda: PermanentError("no")) for _ in range(3)))
    worker.receive(other, topic=OTHER_TOPIC)
    await run_until(10)
    assert end_times(other) == [[1]]


@in_virtual_time
async def test_a_dead_letter_that_cannot_be_written_halts_the_topic() -> None:
    """The message is neither lost nor skipped; a later resume can still dead-letter it."""
    worker = Worker(dead_letters=FakeDeadLetters({TOPIC}, error=OSError("no leader")))
    failing = HandlerScript(seconds=0, failures=9)
    worker.receive(failing)
    await run_until(20)
    halt = worker.halt_coordinator.current_halt(TOPIC)
    assert halt is not None
    assert halt.causes[0].error == "ValueError: trouble"
    assert worker.commit_offset() == 0
    worker.resume(ResumeAction.DEAD_LETTER)
    await run_until(30)
    assert worker.halt_coordinator.is_halted(TOPIC)
    worker.dead_letters.error = None
    worker.resume(ResumeAction.DEAD_LETTER)
    await run_until(40)
    assert worker.dead_letters.offsets() == [0]
    assert worker.commit_offset() == 1
    assert len(failing.started) == 3


class LimitedDeadLetters(FakeDeadLetters):
    """Publishes dead letters of a topic as long as the limit allows it."""

    limiter = DeadLetterLimiter(DeadLetterLimit(max_consecutive=3, max_ratio=1, window=100))

    def accepts(self, delivery: Delivery) -> bool:
        """Return whether the limit allows it."""
        return self.limiter.allow_dead_letter(delivery.topic)

    async def publish(self, delivery: Delivery, failure: Failure) -> None:
        """Publish the dead letter, and count it."""
        await super().publish(delivery, failure)
        self.limiter.record(delivery.topic, handled=False)


@in_virtual_time
async def test_too_many_dead_letters_halt_the_topic_in_spite_of_ack_on_fail() -> None:
    """After a bad deployment the first few messages become dead letters; the rest waits for the next deployment."""
    worker = Worker(replace(POLICY, concurrency=1), dead_letters=LimitedDeadLetters())
    scripts = [HandlerScript(0.1, failures=1, error=lambda: PermanentError("no")) for _ in range(10)]
    worker.receive(*scripts)
    await run_until(20)
    assert worker.dead_letters.offsets() == [0, 1, 2]
    assert worker.halt_coordinator.is_halted(TOPIC)
    assert [len(script.started) for script in scripts] == [1] * 4 + [0] * 6
    assert worker.commit_offset() == 3


@in_virtual_time
async def test_a_halt_contains_no_password_and_no_endless_text() -> None:
    """All workers read the error of a halt, and pages show it."""
    worker = Worker(redact=lambda text: text.replace("s3cret", "***"))
    worker.receive(HandlerScript(failures=9, error=lambda: ValueError("s3cret" + "x" * 1_000_000)))
    await run_until(20)
    halt = worker.halt_coordinator.current_halt(TOPIC)
    assert halt is not None
    assert halt.causes[0].error.startswith("ValueError: ***xxx")
    assert len(halt.causes[0].error) == 1000


class FailingObserver(RecordingObserver):
    """An observer with a bug."""

    def stopped(self, delivery: Delivery, *, succeeded: bool) -> None:
        """Raise, once."""
        super().stopped(delivery, succeeded=succeeded)
        if len(self.succeeded) == 1:
            raise KeyError("a bug")


@in_virtual_time
async def test_an_internal_error_halts_the_topic_instead_of_losing_the_message() -> None:
    """The halt names the message, and a resume finishes it without running its step again."""
    worker, script = Worker(observer=FailingObserver()), HandlerScript()
    worker.receive(script)
    await run_until(10)
    halt = worker.halt_coordinator.current_halt(TOPIC)
    assert halt is not None
    assert halt.causes[0].error == "KeyError: 'a bug'"
    worker.observer.succeeded.append(99)
    worker.resume()
    await run_until(20)
    assert end_times(script) == [[1]]
    assert worker.commit_offset() == 1


class Faults:
    """What a halt needs; it raises as often as the test says."""

    def __init__(self, times: int) -> None:
        self.times = times

    def happen(self) -> None:
        """Raise, if it is to happen once more."""
        self.times -= 1
        if self.times >= 0:
            raise RuntimeError("a bug")

    def redact(self, text: str) -> str:
        """Return the text."""
        self.happen()
        return text

    async def owns(self, _partition: Partition) -> bool:
        """Return that the worker owns the partition."""
        self.happen()
        return True


@pytest.mark.parametrize("part", ["redact", "ownership"])
@in_virtual_time
async def test_a_halt_that_fails_is_tried_until_it_succeeds(part: str, caplog: pytest.LogCaptureFixture) -> None:
    """Otherwise the message would be in flight no more, unfinished, without a halt that an operator can resume."""
    faults = Faults(times=5)
    worker = Worker(redact=faults.redact if part == "redact" else str)
    if part == "ownership":
        worker.dispatcher.ownership.check_by(faults.owns)
    later = HandlerScript()
    worker.receive(HandlerScript(seconds=0, failures=1, error=lambda: PermanentError("no")))
    await run_until(5)
    worker.submit([message(1, later)])
    await run_until(6)
    assert (worker.waiting_for().get(0), later.started) == ("its topic to be halted", [])
    await run_until(200)
    assert worker.halt_coordinator.is_halted(TOPIC)
    assert "Could not halt topic; will retry pause_seconds=10" in caplog.text
    worker.resume()
    await run_until(300)
    assert worker.commit_offset() == 2


@in_virtual_time
async def test_a_drain_ends_the_tries_to_halt() -> None:
    """The next owner handles the message."""
    worker = Worker(redact=Faults(times=1000).redact)
    worker.receive(HandlerScript(seconds=0, failures=1, error=lambda: PermanentError("no")))
    await run_until(5)
    assert len(worker.dispatcher.in_flight()) == 1
    await worker.dispatcher.drain(worker.partitions, grace=1)
    await run_until(6)
    assert worker.dispatcher.in_flight() == []


@in_virtual_time
async def test_a_message_whose_steps_cannot_be_made_halts_its_topic() -> None:
    """The loop that takes messages from the stream goes on."""
    worker, fine = Worker(), HandlerScript()

    def no_steps() -> Sequence[Step]:
        raise TypeError("no such handler")

    worker.submit([replace(message(0), make_steps=no_steps), message(0, fine, topic=OTHER_TOPIC)])
    await run_until(10)
    assert worker.halt_coordinator.is_halted(TOPIC)
    assert end_times(fine) == [[1]]


@pytest.mark.skipif(
    not hasattr(asyncio.Task, "cancelling"), reason="Python 3.10 cannot distinguish the two cancellations"
)
@in_virtual_time
async def test_a_message_whose_handler_awaits_a_cancelled_call_is_retried() -> None:
    """Its task must not end as if the message itself had been cancelled."""
    worker, calls = Worker(), list[float]()

    async def handler() -> None:
        calls.append(asyncio.get_running_loop().time())
        if len(calls) == 1:
            shared = asyncio.create_task(asyncio.sleep(5))
            asyncio.get_running_loop().call_later(2, shared.cancel)
            await shared

    worker.submit([replace(message(0), make_steps=lambda: [handler])])
    await run_until(10)
    assert [round(call) for call in calls] == [0, 3]
    assert worker.dispatcher.ledger.commit_offset(ZERO) == 1
