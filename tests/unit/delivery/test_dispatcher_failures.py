# SPDX-License-Identifier: GPL-3.0-or-later
"""Dead letters instead of halts, and failures that nobody foresaw."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace

import pytest

from investigator.delivery.dead_letter_limit import DeadLetterLimit, DeadLetterLimiter
from investigator.delivery.errors import PermanentError
from investigator.delivery.halts import ResumeAction
from investigator.delivery.messages import Delivery
from investigator.delivery.retry import Failure, Step
from tests.support.delivery_fakes import OTHER_TOPIC, TOPIC, Act, Diary, Letters, message
from tests.support.delivery_worker import POLICY, ZERO, Worker, ends, until
from tests.support.virtual_time import in_virtual_time


@in_virtual_time
async def test_with_ack_on_fail_a_message_is_kept_instead_of_halting_its_topic() -> None:
    """Its offset may be committed once the broker has the dead letter, not before."""
    worker, failing, behind = Worker(letters=Letters({TOPIC}, seconds=5)), Act(seconds=0, failures=9), Act()
    worker.play(failing, behind)
    await until(7.9)
    assert worker.position() == 0
    await until(8)
    assert worker.position() == 2
    assert worker.letters.offsets() == [0]
    assert worker.letters.good == [1]
    assert worker.halt_coordinator.current_halt(TOPIC) is None


@in_virtual_time
async def test_writing_a_dead_letter_holds_no_worker() -> None:
    """A broker that takes its time for the dead letters of one topic does not stop the others."""
    worker = Worker(replace(POLICY, concurrency=1), letters=Letters({TOPIC}, seconds=1000))
    other = Act()
    worker.play(*(Act(0, failures=9, error=lambda: PermanentError("no")) for _ in range(3)))
    worker.play(other, topic=OTHER_TOPIC)
    await until(10)
    assert ends(other) == [[1]]


@in_virtual_time
async def test_a_dead_letter_that_can_not_be_written_halts_the_topic() -> None:
    """The message is neither lost nor passed; it can still be kept when the broker takes it again."""
    worker = Worker(letters=Letters({TOPIC}, trouble=OSError("no leader")))
    failing = Act(seconds=0, failures=9)
    worker.play(failing)
    await until(20)
    halt = worker.halt_coordinator.current_halt(TOPIC)
    assert halt is not None
    assert halt.causes[0].error == "ValueError: trouble"
    assert worker.position() == 0
    worker.resume(ResumeAction.DEAD_LETTER)
    await until(30)
    assert worker.halt_coordinator.is_halted(TOPIC)
    worker.letters.trouble = None
    worker.resume(ResumeAction.DEAD_LETTER)
    await until(40)
    assert worker.letters.offsets() == [0]
    assert worker.position() == 1
    assert len(failing.began) == 3


class LimitedLetters(Letters):
    """Keeps dead letters of a topic as long as the limit allows it."""

    outcomes = DeadLetterLimiter(DeadLetterLimit(max_consecutive=3, max_ratio=1, window=100))

    def accepts(self, delivery: Delivery) -> bool:
        """Ask the limit."""
        return self.outcomes.allow_dead_letter(delivery.topic)

    async def publish(self, delivery: Delivery, failure: Failure) -> None:
        """Count it."""
        await super().publish(delivery, failure)
        self.outcomes.record(delivery.topic, handled=False)


@in_virtual_time
async def test_too_many_dead_letters_halt_the_topic_in_spite_of_ack_on_fail() -> None:
    """After a bad deployment the first few are kept, and the rest of the topic waits unharmed for the next one."""
    worker = Worker(replace(POLICY, concurrency=1), letters=LimitedLetters())
    acts = [Act(0.1, failures=1, error=lambda: PermanentError("no")) for _ in range(10)]
    worker.play(*acts)
    await until(20)
    assert worker.letters.offsets() == [0, 1, 2]
    assert worker.halt_coordinator.is_halted(TOPIC)
    assert [len(act.began) for act in acts] == [1] * 4 + [0] * 6
    assert worker.position() == 3


@in_virtual_time
async def test_no_password_and_no_endless_text_gets_into_a_halt() -> None:
    """What a halt says of the error is read by all workers and shown on pages."""
    worker = Worker(redact=lambda text: text.replace("s3cret", "***"))
    worker.play(Act(failures=9, error=lambda: ValueError("s3cret" + "x" * 1_000_000)))
    await until(20)
    halt = worker.halt_coordinator.current_halt(TOPIC)
    assert halt is not None
    assert halt.causes[0].error.startswith("ValueError: ***xxx")
    assert len(halt.causes[0].error) == 1000


class ForgetfulDiary(Diary):
    """An observer with a bug."""

    def stopped(self, delivery: Delivery, *, succeeded: bool) -> None:
        """Fail, once."""
        super().stopped(delivery, succeeded=succeeded)
        if len(self.succeeded) == 1:
            raise KeyError("a bug")


@in_virtual_time
async def test_a_bug_of_our_own_halts_the_topic_instead_of_forgetting_the_message() -> None:
    """Even so nothing hangs unseen: the halt names the message, and a resume ends it, its step not run again."""
    worker, act = Worker(diary=ForgetfulDiary()), Act()
    worker.play(act)
    await until(10)
    halt = worker.halt_coordinator.current_halt(TOPIC)
    assert halt is not None
    assert halt.causes[0].error == "KeyError: 'a bug'"
    worker.diary.succeeded.append(99)
    worker.resume()
    await until(20)
    assert ends(act) == [[1]]
    assert worker.position() == 1


@in_virtual_time
async def test_a_message_whose_steps_can_not_be_made_halts_its_topic() -> None:
    """The loop that takes messages from the stream goes on whatever a message is."""
    worker, fine = Worker(), Act()

    def no_steps() -> Sequence[Step]:
        raise TypeError("no such handler")

    worker.offer([replace(message(0), make_steps=no_steps), message(0, fine, topic=OTHER_TOPIC)])
    await until(10)
    assert worker.halt_coordinator.is_halted(TOPIC)
    assert ends(fine) == [[1]]


@pytest.mark.skipif(not hasattr(asyncio.Task, "cancelling"), reason="Python 3.10 has no means to tell them apart")
@in_virtual_time
async def test_a_handler_whose_own_call_is_cancelled_does_not_make_its_message_vanish() -> None:
    """It is tried again like any other one that failed."""
    worker, calls = Worker(), list[float]()

    async def handler() -> None:
        calls.append(asyncio.get_running_loop().time())
        if len(calls) == 1:
            shared = asyncio.create_task(asyncio.sleep(5))
            asyncio.get_running_loop().call_later(2, shared.cancel)
            await shared

    worker.offer([replace(message(0), make_steps=lambda: [handler])])
    await until(10)
    assert [round(call) for call in calls] == [0, 3]
    assert worker.dispatcher.ledger.commit_offset(ZERO) == 1
