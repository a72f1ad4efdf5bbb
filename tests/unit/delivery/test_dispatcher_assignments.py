# SPDX-License-Identifier: GPL-3.0-or-later
"""What becomes of messages in hand when their partitions go, and when the worker stops."""

import asyncio
from dataclasses import replace

import pytest

from investigator.delivery.errors import PermanentError
from investigator.delivery.ledger import CommitPosition
from tests.support.delivery_fakes import OTHER_TOPIC, TOPIC, FakeDeadLetters, HandlerScript, message, now
from tests.support.delivery_worker import (
    ONE,
    OTHER,
    PARTITIONS,
    POLICY,
    ZERO,
    Worker,
    end_times,
    run_until,
    start_times,
)
from tests.support.virtual_time import in_virtual_time, settle


async def drained(worker: Worker, grace: float = 10) -> float:
    """Let go of everything, as at a stop; tell how long it took."""
    began = now()
    await worker.dispatcher.drain(PARTITIONS, grace)
    took = now() - began
    await settle()
    assert not worker.dispatcher.in_flight()
    return round(took, 1)


@in_virtual_time
async def test_what_is_worked_on_may_finish_and_be_committed_before_its_partition_goes() -> None:
    """A rebalance waits for work that ends soon, and nothing new begins meanwhile."""
    worker, scripts = (
        Worker(replace(POLICY, concurrency=2)),
        [HandlerScript(5), HandlerScript(3), HandlerScript(), HandlerScript()],
    )
    worker.receive(*scripts, keys=[b"a", None, b"a", None])
    await run_until(1)
    assert await drained(worker) == 4
    assert end_times(*scripts) == [[5], [3], [], []]
    assert worker.dispatcher.ledger.committable() == {ZERO: CommitPosition(2)}


@in_virtual_time
async def test_a_handler_that_hangs_is_let_go_when_the_grace_is_over() -> None:
    """A stop takes no longer than its bound, and what hung is not committed."""
    worker, hanging, done = Worker(), HandlerScript(3600), HandlerScript(1)
    worker.receive(hanging, done)
    await run_until(2)
    assert await drained(worker, grace=10) == 10
    assert worker.commit_offset() == 0
    assert worker.observer.succeeded == [1], "what was let go does not count as processed"


@in_virtual_time
async def test_what_only_waits_is_let_go_at_once() -> None:
    """Nobody waits for a halted topic to be resumed, for a pause, for a position in the cluster or for a worker."""
    worker = Worker(replace(POLICY, concurrency=1, retry=replace(POLICY.retry, backoff=1000)))
    worker.receive(
        HandlerScript(0, failures=9, error=lambda: PermanentError("no")),
        HandlerScript(),
        HandlerScript(),
        keys=[b"a", b"a", None],
    )
    worker.receive(HandlerScript(0, failures=1), HandlerScript(waits=1000), topic=OTHER_TOPIC)
    await run_until(1)
    assert len(worker.dispatcher.in_flight()) >= 4
    assert await drained(worker) == 0


@in_virtual_time
async def test_what_comes_to_wait_during_the_grace_is_let_go_then() -> None:
    """A message that fails while the worker stops would pause or park: the stop does not wait for that."""
    worker = Worker()
    worker.receive(HandlerScript(3, failures=1), HandlerScript(4, failures=1, error=lambda: PermanentError("no")))
    await run_until(1)
    assert await drained(worker) == 3
    assert worker.commit_offset() == 0


@in_virtual_time
async def test_a_dead_letter_that_is_being_written_may_be_finished() -> None:
    """Else it would be written again by whoever gets the message next."""
    worker = Worker(dead_letters=FakeDeadLetters({TOPIC}, seconds=3))
    worker.receive(HandlerScript(0, failures=1, error=lambda: PermanentError("no")))
    await run_until(1)
    assert await drained(worker) == 2
    assert worker.dead_letters.offsets() == [0]
    assert worker.commit_offset() == 1


@in_virtual_time
async def test_other_partitions_go_on() -> None:
    """Letting go of one partition disturbs neither another one of its topic nor another topic."""
    worker, gone, stays, other = (
        Worker(),
        [HandlerScript(20), HandlerScript()],
        [HandlerScript(20), HandlerScript()],
        [HandlerScript(20), HandlerScript()],
    )
    worker.receive(*gone, keys=[b"a", b"a"])
    worker.receive(*stays, partition=1, keys=[b"b", b"b"])
    worker.receive(*other, topic=OTHER_TOPIC, keys=[b"c", b"c"])
    await run_until(1)
    await worker.dispatcher.drain([ZERO], grace=1)
    worker.dispatcher.revoke([ZERO])
    await run_until(60)
    assert end_times(*gone, *stays, *other) == [[], [], [20], [21], [20], [21]]
    assert [worker.commit_offset(partition) for partition in PARTITIONS] == [None, 2, 2]


@in_virtual_time
async def test_what_ends_after_its_partition_went_counts_for_nothing() -> None:
    """The next assignment begins anew; a late result of the old one commits nothing in it."""
    worker, stubborn, again = Worker(), asyncio.Event(), HandlerScript(50)

    async def ignores_its_cancellation() -> None:
        while not stubborn.is_set():
            try:
                await stubborn.wait()
            except asyncio.CancelledError:
                continue

    worker.submit([replace(message(0), make_steps=lambda: [ignores_its_cancellation])])
    await run_until(1)
    await worker.dispatcher.drain([ZERO], grace=1)
    worker.dispatcher.revoke([ZERO])
    worker.generation += 1
    worker.dispatcher.assign([ZERO])
    worker.receive(again)
    await run_until(10)
    stubborn.set()
    await run_until(20)
    assert worker.commit_offset() == 0
    await run_until(60)
    assert end_times(again) == [[52]]
    assert worker.commit_offset() == 1


@pytest.mark.parametrize("same_generation", [False, True])
def test_a_message_that_waited_over_a_rebalance_is_not_taken_for_one_of_the_new_assignment(
    *, same_generation: bool
) -> None:
    """It may lie behind messages that the new assignment still has to bring: taking it up would commit past them.

    A member that joins again without any change keeps its generation, so that alone does not tell the two apart.
    """

    @in_virtual_time
    async def scenario() -> None:
        worker, stale, first = Worker(), HandlerScript(), HandlerScript(5)
        worker.halt_coordinator.halt(TOPIC, by="operator")
        waiting = worker.submit([message(50, stale)])
        await run_until(1)
        await worker.dispatcher.drain([ZERO], grace=0)
        worker.dispatcher.revoke([ZERO])
        worker.generation += not same_generation
        worker.dispatcher.assign([ZERO])
        worker.resume()
        await run_until(2)
        assert waiting.done()
        worker.receive(first)
        await run_until(10)
        assert start_times(stale, first) == [[], [2]]
        assert worker.commit_offset() == 1

    scenario()


@in_virtual_time
async def test_a_message_that_was_buffered_while_its_topic_was_recreated_is_dropped() -> None:
    """The epoch in which it was fetched counts, not the one in which its stream reaches it."""
    worker, stale, first = Worker(), HandlerScript(), HandlerScript()
    buffered = worker.fetched(message(50, stale))
    worker.dispatcher.assign([ZERO])
    worker.submit([buffered, message(0, first)])
    await run_until(10)
    assert start_times(stale, first) == [[], [0]]
    assert worker.commit_offset() == 1


@in_virtual_time
async def test_a_message_of_a_partition_that_is_not_ours_is_let_go() -> None:
    """It does not hold up the loop of its topic."""
    worker, script = Worker(partitions=[ONE, OTHER]), HandlerScript()
    loop = worker.submit([message(0, script), message(0, HandlerScript(), partition=1)])
    await run_until(5)
    assert loop.done()
    assert not script.started
    assert worker.commit_offset(ONE) == 1


@in_virtual_time
async def test_a_stop_takes_up_nothing_new() -> None:
    """From the moment on at which letting go begins, also for a topic that is resumed just then."""
    worker, at_work, parked, fresh = Worker(), HandlerScript(5), HandlerScript(0, failures=3), HandlerScript()
    worker.receive(parked, topic=OTHER_TOPIC)
    await run_until(10)
    worker.receive(at_work)
    await run_until(11)
    letting_go = asyncio.create_task(worker.dispatcher.drain(PARTITIONS, grace=10))
    await settle()
    worker.resume(topic=OTHER_TOPIC)
    worker.submit([message(1, fresh)])
    await letting_go
    await run_until(100)
    assert end_times(at_work, parked, fresh) == [[15], [], []]
    assert len(parked.started) == 3
    assert worker.observer.context_offsets == [0, 0]


@in_virtual_time
async def test_a_partition_that_begins_anew_without_having_been_revoked_leaves_nothing_of_before() -> None:
    """As when a topic is deleted and made anew: what was given up or at work there is no message any more."""
    worker, before, anew = Worker(), [HandlerScript(0, failures=9), HandlerScript(3600)], HandlerScript()
    worker.receive(*before)
    await run_until(10)
    worker.dispatcher.assign([ZERO])
    worker.resume()
    worker.receive(anew)
    await run_until(20)
    assert [len(script.started) for script in before] == [3, 1]
    assert end_times(*before, anew) == [[], [], [11]]
    assert not worker.dispatcher.in_flight()
    assert worker.commit_offset() == 1
