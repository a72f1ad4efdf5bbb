# SPDX-License-Identifier: GPL-3.0-or-later
"""A decision of an operator ends the wait of a message that is being tried again, in virtual time."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

import pytest

from investigator.delivery.current_message import WhileWaiting, current_context
from investigator.delivery.errors import PermanentError, TemporaryError
from investigator.delivery.halts import Outcome, ResumeAction
from investigator.delivery.retry import Step
from tests.support.delivery_fakes import TOPIC, HandlerScript, message, now
from tests.support.delivery_worker import Worker, run_until
from tests.support.virtual_time import in_virtual_time

HOUR = 3600.0


async def _held_back(seconds: float) -> None:
    await _wait(current_context().while_held_back, seconds)


async def _for_a_permit(seconds: float) -> None:
    await _wait(current_context().while_waiting, seconds)


async def _in_branches(seconds: float) -> None:
    await asyncio.gather(_held_back(seconds), _held_back(seconds), _for_a_permit(seconds))


async def _between_attempts(seconds: float) -> None:
    raise TemporaryError("come back later", delay=seconds)


async def _wait(while_waiting: WhileWaiting, seconds: float) -> None:
    async with while_waiting("something unavailable"):
        await asyncio.sleep(seconds)


@dataclass
class TriedAgain(HandlerScript):
    """A message whose first attempt fails permanently; its next attempt works for `seconds`, then waits for `waits`."""

    wait: Callable[[float], Awaitable[None]] = _held_back
    cancelled: list[float] = field(default_factory=list)

    def steps(self) -> list[Step]:
        """Return the one step of the message."""
        return [self._try]

    async def _try(self) -> None:
        self.started.append(now())
        if len(self.started) == 1:
            raise PermanentError("bad")
        await asyncio.sleep(self.seconds)
        try:
            await self.wait(self.waits)
        except asyncio.CancelledError:
            self.cancelled.append(now())
            raise
        self.ended.append(now())


async def tried_again(script: HandlerScript) -> Worker:
    """Return a worker that tries a failed message again since a second."""
    worker = Worker()
    worker.receive(script)
    await run_until(1)
    worker.resume()
    await run_until(2)
    return worker


@pytest.mark.parametrize("action", [ResumeAction.SKIP, ResumeAction.DEAD_LETTER])
@pytest.mark.parametrize("wait", [_held_back, _for_a_permit, _in_branches, _between_attempts])
@in_virtual_time
async def test_a_decision_ends_the_wait(action: ResumeAction, wait: Callable[[float], Awaitable[None]]) -> None:
    """The message would wait for an hour; the resume has its outcome, and the next message starts, within seconds."""
    script = TriedAgain(seconds=0, waits=HOUR, wait=wait)
    worker, later = await tried_again(script), HandlerScript(seconds=0)
    worker.submit([message(1, later)])
    await run_until(10)
    resume = worker.halt_coordinator.resume(TOPIC, by="operator", action=action)
    await run_until(11)
    worker.commit()
    (result,) = await resume.wait(1)
    expected = Outcome.SKIPPED if action is ResumeAction.SKIP else Outcome.DEAD_LETTERED
    assert (result.outcome, len(later.ended), worker.commit_offset()) == (expected, 1, 2)
    assert worker.dead_letters.offsets() == ([0] if action is ResumeAction.DEAD_LETTER else [])
    assert len(script.started) == 2
    assert worker.observer.running == 0


async def _probe(seconds: float) -> None:
    async with current_context().while_held_back("the cluster, which is unavailable"):
        with current_context().while_calling():
            await asyncio.sleep(30)
        await asyncio.sleep(seconds)


async def _beside_a_call(seconds: float) -> None:
    await asyncio.gather(_probe(seconds), _held_back(seconds))


@pytest.mark.parametrize(("seconds", "wait"), [(30, _held_back), (0, _probe), (0, _beside_a_call)])
@in_virtual_time
async def test_a_decision_ends_no_work_and_then_the_next_wait(
    seconds: float, wait: Callable[[float], Awaitable[None]]
) -> None:
    """What the handler has begun is not cut off: the call of a probe may create the workflow of a skipped message."""
    script = TriedAgain(seconds=seconds, waits=HOUR, wait=wait)
    worker = await tried_again(script)
    worker.resume(ResumeAction.SKIP)
    await run_until(20)
    assert worker.commit_offset() == 0
    await run_until(40)
    assert script.cancelled == [pytest.approx(31, abs=0.1)]
    assert worker.commit_offset() == 1


@in_virtual_time
async def test_a_retry_ends_no_wait() -> None:
    """It asks for nothing else than the attempt that is under way."""
    script = TriedAgain(seconds=0, waits=100)
    worker = await tried_again(script)
    worker.resume()
    await run_until(200)
    assert (script.cancelled, len(script.started), len(script.ended)) == ([], 2, 1)


@in_virtual_time
async def test_a_revocation_wins_over_a_decision() -> None:
    """The next owner of the partition applies the decision."""
    worker = await tried_again(TriedAgain(seconds=0, waits=HOUR))
    resume = worker.halt_coordinator.resume(TOPIC, by="operator", action=ResumeAction.SKIP)
    await worker.dispatcher.drain(worker.partitions, grace=1)
    await run_until(10)
    assert worker.dispatcher.in_flight() == []
    assert worker.commit_offset() == 0
    assert [each.outcome for each in resume.results()] == [Outcome.PENDING]
