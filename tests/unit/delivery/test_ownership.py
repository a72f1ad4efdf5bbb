# SPDX-License-Identifier: GPL-3.0-or-later
"""Nothing is decided permanently about a failed message whose partition has another owner."""

import asyncio
from dataclasses import replace

import pytest

from investigator.delivery.halts import ResumeAction
from investigator.delivery.ledger import Partition
from tests.support.delivery_fakes import TOPIC, FakeDeadLetters, HandlerScript, message
from tests.support.delivery_worker import POLICY, ZERO, Worker, run_until
from tests.support.virtual_time import in_virtual_time


class Group:
    """The brokers' answer to the question for the owner of a partition.

    Attributes:
        owned: the answer.
        answered: to be cleared while no broker answers.
        asked: how often it was asked.
    """

    def __init__(self, *, owned: bool) -> None:
        self.owned = owned
        self.answered = asyncio.Event()
        self.answered.set()
        self.asked: list[Partition] = []

    async def owns(self, partition: Partition) -> bool:
        """Answer."""
        self.asked.append(partition)
        await self.answered.wait()
        return self.owned


def worker_of(group: Group, *, dead_letters: bool) -> Worker:
    """Return a worker whose failed messages become dead letters, or halt their topic, after one attempt."""
    policy = replace(POLICY, retry=replace(POLICY.retry, max_attempts=1))
    worker = Worker(policy, dead_letters=FakeDeadLetters({TOPIC} if dead_letters else set()))
    worker.dispatcher.ownership.check_by(group.owns)
    return worker


def failed_without_answer(*, dead_letters: bool) -> tuple[Group, Worker]:
    """Return a group whose brokers do not answer yet, and its worker, whose message has no attempt left."""
    group = Group(owned=True)
    group.answered.clear()
    worker = worker_of(group, dead_letters=dead_letters)
    worker.receive(HandlerScript(seconds=0, failures=9))
    return group, worker


def _is_decided(worker: Worker) -> bool:
    return bool(worker.dead_letters.published) or worker.halt_coordinator.current_halt(TOPIC) is not None


@pytest.mark.parametrize("dead_letters", [True, False])
@in_virtual_time
async def test_a_message_of_another_owner_is_dropped_and_not_committed(dead_letters: bool) -> None:  # noqa: FBT001  a parameter
    """Neither a dead letter nor a halt; the other owner, or this worker after its next rebalance, handles it."""
    group = Group(owned=False)
    worker = worker_of(group, dead_letters=dead_letters)
    worker.receive(HandlerScript(seconds=0, failures=9))
    await run_until(10)
    assert group.asked == [ZERO]
    assert not _is_decided(worker)
    assert worker.commit_offset() == 0
    assert worker.dispatcher.in_flight() == []


@pytest.mark.parametrize("dead_letters", [True, False])
@in_virtual_time
async def test_the_decision_waits_while_no_broker_answers(dead_letters: bool) -> None:  # noqa: FBT001  same
    """The status page says for what; the message holds no slot, and a drain does not wait for it."""
    group, worker = failed_without_answer(dead_letters=dead_letters)
    await run_until(1000)
    assert not _is_decided(worker)
    assert worker.waiting_for() == {0: "the brokers to confirm that this worker owns its partition"}
    group.answered.set()
    await run_until(1001)
    assert _is_decided(worker)


@pytest.mark.parametrize("dead_letters", [True, False])
@in_virtual_time
async def test_an_answer_that_comes_after_the_next_assignment_does_not_count(dead_letters: bool) -> None:  # noqa: FBT001  same
    """The message is fetched again in that assignment."""
    group, worker = failed_without_answer(dead_letters=dead_letters)
    await run_until(1)
    worker.dispatcher.ledger.assign(ZERO)  # without the drain of the dispatcher, which would cancel the message first
    group.answered.set()
    await run_until(10)
    assert not _is_decided(worker)


@in_virtual_time
async def test_successes_ask_no_broker() -> None:
    """A commit of the former owner is refused anyway, and a workflow that exists is not created twice."""
    group = Group(owned=True)
    worker = worker_of(group, dead_letters=True)
    worker.receive(HandlerScript(), HandlerScript())
    await run_until(10)
    assert (worker.commit_offset(), group.asked) == (2, [])


@in_virtual_time
async def test_an_operators_dead_letter_asks_as_well() -> None:
    """It is written by the worker that owns the partition, and by no other."""
    group = Group(owned=True)
    worker = worker_of(group, dead_letters=False)
    worker.receive(HandlerScript(seconds=0, failures=9))
    await run_until(10)
    group.owned = False
    worker.resume(ResumeAction.DEAD_LETTER)
    await run_until(20)
    assert worker.dead_letters.published == []
    assert len(group.asked) == 2


@in_virtual_time
async def test_a_dead_letter_that_could_not_be_written_asks_again_before_the_halt() -> None:
    """Its writing may have taken longer than the session of a suspended worker."""
    group = Group(owned=True)
    worker = worker_of(group, dead_letters=True)
    worker.dead_letters.error = ConnectionError()
    worker.dead_letters.seconds = 60
    worker.receive(HandlerScript(seconds=0, failures=9))
    await run_until(30)
    group.owned = False
    await run_until(100)
    assert worker.halt_coordinator.current_halt(TOPIC) is None


@in_virtual_time
async def test_other_messages_of_the_topic_continue_after_one_is_dropped() -> None:
    """One that was to halt the topic blocks it no longer."""
    group = Group(owned=False)
    worker = worker_of(group, dead_letters=False)
    later = HandlerScript()
    worker.receive(HandlerScript(seconds=0, failures=9))
    await run_until(5)
    worker.submit([message(1, later)])
    await run_until(10)
    assert len(later.ended) == 1
