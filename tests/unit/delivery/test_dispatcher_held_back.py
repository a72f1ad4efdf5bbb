# SPDX-License-Identifier: GPL-3.0-or-later
"""Messages that wait for something unavailable make room in their topic, in virtual time."""

import asyncio
from collections.abc import Awaitable
from dataclasses import dataclass, field, replace

import pytest

from investigator.delivery.current_message import current_context, report_progress
from investigator.delivery.policy import DispatchPolicy
from investigator.delivery.retry import Step
from tests.support.delivery_fakes import OTHER_TOPIC, HandlerScript, message, now
from tests.support.delivery_worker import POLICY, Worker, run_until
from tests.support.virtual_time import in_virtual_time


@dataclass
class HeldBack(HandlerScript):
    """A message whose handler waits for something unavailable until the event is set."""

    available: asyncio.Event = field(default_factory=asyncio.Event)

    def steps(self) -> list[Step]:
        """Return the one step of the message."""
        return [self._wait]

    async def _wait(self) -> None:
        async with current_context().while_held_back("the index, which is unavailable"):
            await self.available.wait()
        self.ended.append(now())


@in_virtual_time
async def test_messages_that_need_something_else_pass_those_held_back() -> None:
    """A hundred messages for a dead index do not stop the one behind them."""
    worker = Worker(replace(POLICY, max_offset_lead=1000))
    held_back, other = HeldBack(), HandlerScript(seconds=1)
    worker.receive(*[held_back] * 100, other)
    await run_until(1)
    assert other.ended == [pytest.approx(1.0)]
    held_back.available.set()
    await run_until(2)
    assert worker.commit_offset() == 101


@in_virtual_time
@pytest.mark.parametrize(
    "policy", [replace(POLICY, max_held_back=20), replace(POLICY, max_held_back_bytes=40)], ids=["messages", "bytes"]
)
async def test_the_messages_held_back_are_bounded(policy: DispatchPolicy) -> None:
    """Beyond the limit they count like all others, so memory is bounded; values have two bytes here."""
    worker = Worker(replace(policy, max_offset_lead=1000))
    worker.receive(*[HeldBack()] * 100)
    await run_until(1)
    assert len(worker.dispatcher.in_flight()) == 20 + POLICY.max_in_flight


@in_virtual_time
@pytest.mark.parametrize("chain", [False, True], ids=["outage", "chain of a key"])
@pytest.mark.parametrize(
    "policy", [replace(POLICY, max_held_back=80), replace(POLICY, max_held_back_bytes=160)], ids=["messages", "bytes"]
)
async def test_each_topic_has_its_share_of_the_room(policy: DispatchPolicy, chain: bool) -> None:  # noqa: FBT001  a parameter
    """One topic takes all that it can; those of the other topic make room all the same, but not beyond their share."""
    worker = Worker(replace(policy, max_offset_lead=1000, topics=2))
    worker.receive(*[HeldBack()] * 200, keys=[b"key"] * 200 if chain else ())
    await run_until(1)
    first = len(worker.dispatcher.in_flight())
    passing, behind = HandlerScript(seconds=1), HandlerScript(seconds=1)
    worker.receive(*[HeldBack()] * 20, passing, *[HeldBack()] * 10, behind, topic=OTHER_TOPIC)
    await run_until(5)
    assert len(passing.ended) == 1
    assert behind.started == []
    assert first == 60 + POLICY.max_in_flight
    assert len(worker.dispatcher.in_flight()) == 80 + 2 * POLICY.max_in_flight


@in_virtual_time
async def test_messages_of_a_key_wait_for_the_one_held_back_and_make_room_too() -> None:
    """They need no slot until it is finished."""
    worker = Worker(replace(POLICY, max_offset_lead=1000))
    held_back, other = HeldBack(), HandlerScript(seconds=1)
    worker.receive(held_back, *[HandlerScript() for _ in range(50)], other, keys=[b"key"] * 51)
    await run_until(1)
    assert other.ended == [pytest.approx(1.0)]


@in_virtual_time
async def test_a_cancelled_message_takes_no_room_afterwards() -> None:
    """A revocation ends the waits of its partition, and their bytes count no longer."""
    worker = Worker(replace(POLICY, max_offset_lead=1000, max_held_back=20))
    worker.receive(*[HeldBack()] * 30)
    await run_until(1)
    await worker.dispatcher.drain(worker.partitions, grace=1)
    worker.dispatcher.revoke(worker.partitions)
    await run_until(2)
    worker.dispatcher.assign(worker.partitions)
    worker.submit([message(offset, HeldBack()) for offset in range(100)])
    await run_until(3)
    assert len(worker.dispatcher.in_flight()) == 20 + POLICY.max_in_flight


@dataclass
class Branching(HeldBack):
    """A message with three branches that wait for the same; the first one gets it before the others."""

    async def _wait(self) -> None:
        await asyncio.gather(self._branch(asyncio.sleep(1)), *(self._branch(self.available.wait()) for _ in range(2)))
        self.ended.append(now())

    async def _branch(self, wait: Awaitable[object]) -> None:
        async with current_context().while_held_back("room in a quota"):
            await wait


@in_virtual_time
async def test_a_message_makes_room_until_its_last_branch_is_no_longer_held_back() -> None:
    """Messages behind it pass, although some of its workflows were created."""
    worker = Worker(replace(POLICY, max_offset_lead=1000))
    held_back, other = Branching(), HandlerScript(seconds=1)
    worker.receive(*[held_back] * 100)
    await run_until(5)
    worker.submit([message(100, other)])
    await run_until(10)
    assert other.ended == [pytest.approx(6.0, abs=0.01)]
    held_back.available.set()
    await run_until(11)
    assert (worker.commit_offset(), worker.dispatcher.in_flight()) == (101, [])


@dataclass
class Progressing(HandlerScript):
    """A message that fails at each attempt and achieves something at the first ones."""

    progress: int = 0

    def steps(self) -> list[Step]:
        """Return the one step of the message."""
        return [self._progress]

    async def _progress(self) -> None:
        self.started.append(now())
        if len(self.started) <= self.progress:
            report_progress()
        if len(self.started) <= self.failures:
            raise self.error()
        self.ended.append(now())


@in_virtual_time
async def test_an_attempt_that_made_progress_resets_the_count() -> None:
    """Any number of short failures is survived by a message that schedules something in between."""
    worker = Worker()
    progressing, stuck = Progressing(failures=19, progress=18), Progressing(failures=20, progress=2)
    worker.submit([message(0, progressing), message(1, stuck)])
    await run_until(600)
    assert len(progressing.ended) == 1
    assert len(stuck.started) == 2 + POLICY.retry.max_attempts - 1
