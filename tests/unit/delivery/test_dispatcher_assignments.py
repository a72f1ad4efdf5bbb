# SPDX-License-Identifier: GPL-3.0-or-later
"""Messages in flight when their partitions are revoked, and when the worker stops."""

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


async def drain(worker: Worker, grace: float = 10) -> float:
    """Drain everything, as at a stop; return how long it took, in seconds."""
    began = now()
    await worker.dispatcher.drain(PARTITIONS, grace)
    took = now() - began
    await settle()
    assert not worker.dispatcher.in_flight()
    return round(took, 1)


@in_virtual_time
async def test_messages_being_processed_may_finish_and_be_committed_before_their_partition_is_revoked() -> None:
    """A rebalance waits for work that ends soon, and no other message starts meanwhile."""
    worker, scripts = (
        Worker(replace(POLICY, concurrency=2)),
        [HandlerScript(5), HandlerScript(3), HandlerScript(), HandlerScript()],
    )
    worker.receive(*scripts, keys=[b"a", None, b"a", None])
    await run_until(1)
    assert await drain(worker) == 4
    assert end_times(*scripts) == [[5], [3], [], []]
    assert worker.dispatcher.ledger.committable() == {ZERO: CommitPosition(2)}


@in_virtual_time
async def test_a_hanging_handler_is_cancelled_when_the_grace_is_over() -> None:
    """A stop takes no longer than its bound, and the hanging message is not committed."""
    worker, hanging, done = Worker(), HandlerScript(3600), HandlerScript(1)
    worker.receive(hanging, done)
    await run_until(2)
    assert await drain(worker, grace=10) == 10
    assert worker.commit_offset() == 0
    assert worker.observer.succeeded == [1], "a cancelled message does not count as processed"


@in_virtual_time
async def test_messages_that_only_wait_are_cancelled_at_once() -> None:
    """A drain does not wait for the resume of a topic, for a pause, for a permit or for a slot."""
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
    assert await drain(worker) == 0


@in_virtual_time
async def test_messages_that_begin_to_wait_during_the_grace_are_cancelled_then() -> None:
    """A message that fails during a stop would pause or halt its topic: the stop does not wait for that."""
    worker = Worker()
    worker.receive(HandlerScript(3, failures=1), HandlerScript(4, failures=1, error=lambda: PermanentError("no")))
    await run_until(1)
    assert await drain(worker) == 3
    assert worker.commit_offset() == 0


@in_virtual_time
async def test_a_dead_letter_that_is_being_written_may_be_finished() -> None:
    """Otherwise the next owner would write it again."""
    worker = Worker(dead_letters=FakeDeadLetters({TOPIC}, seconds=3))
    worker.receive(HandlerScript(0, failures=1, error=lambda: PermanentError("no")))
    await run_until(1)
    assert await drain(worker) == 2
    assert worker.dead_letters.offsets() == [0]
    assert worker.commit_offset() == 1


@in_virtual_time
async def test_other_partitions_are_not_affected() -> None:
    """Revoking one partition disturbs neither another one of its topic nor another topic."""
    worker, revoked, remaining, other = (
        Worker(),
        [HandlerScript(20), HandlerScript()],
        [HandlerScript(20), HandlerScript()],
        [HandlerScript(20), HandlerScript()],
    )
    worker.receive(*revoked, keys=[b"a", b"a"])
    worker.receive(*remaining, partition=1, keys=[b"b", b"b"])
    worker.receive(*other, topic=OTHER_TOPIC, keys=[b"c", b"c"])
    await run_until(1)
    await worker.dispatcher.drain([ZERO], grace=1)
    worker.dispatcher.revoke([ZERO])
    await run_until(60)
    assert end_times(*revoked, *remaining, *other) == [[], [], [20], [21], [20], [21]]
    assert [worker.commit_offset(partition) for partition in PARTITIONS] == [None, 2, 2]


@in_virtual_time
async def test_a_result_that_comes_after_the_revocation_has_no_effect() -> None:
    """The next assignment has its own epoch; a late result of the previous one commits nothing in it."""
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
def test_a_message_that_waits_through_a_rebalance_is_dropped(*, same_generation: bool) -> None:
    """The new assignment may still have to deliver earlier messages: to accept it would commit past them.

    A member that rejoins without any change has the same generation, so the generation alone is not enough.
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
    """The epoch in which it was fetched counts, not the one in which it is submitted."""
    worker, stale, first = Worker(), HandlerScript(), HandlerScript()
    buffered = worker.fetched(message(50, stale))
    worker.dispatcher.assign([ZERO])
    worker.submit([buffered, message(0, first)])
    await run_until(10)
    assert start_times(stale, first) == [[], [0]]
    assert worker.commit_offset() == 1


@in_virtual_time
async def test_a_message_of_a_partition_that_is_not_assigned_is_dropped() -> None:
    """It does not block the loop of its topic."""
    worker, script = Worker(partitions=[ONE, OTHER]), HandlerScript()
    loop = worker.submit([message(0, script), message(0, HandlerScript(), partition=1)])
    await run_until(5)
    assert loop.done()
    assert not script.started
    assert worker.commit_offset(ONE) == 1


@in_virtual_time
async def test_no_message_starts_during_a_stop() -> None:
    """From the start of the drain on, and not even if a topic is resumed just then."""
    worker, at_work, halting, late = Worker(), HandlerScript(5), HandlerScript(0, failures=3), HandlerScript()
    worker.receive(halting, topic=OTHER_TOPIC)
    await run_until(10)
    worker.receive(at_work)
    await run_until(11)
    draining = asyncio.create_task(worker.dispatcher.drain(PARTITIONS, grace=10))
    await settle()
    worker.resume(topic=OTHER_TOPIC)
    worker.submit([message(1, late)])
    await draining
    await run_until(100)
    assert end_times(at_work, halting, late) == [[15], [], []]
    assert len(halting.started) == 3
    assert worker.observer.context_offsets == [0, 0]


@in_virtual_time
async def test_a_partition_that_is_assigned_again_without_a_revocation_drops_its_messages() -> None:
    """As when a topic is deleted and recreated: the failed and the running messages no longer exist."""
    worker, old, recreated = Worker(), [HandlerScript(0, failures=9), HandlerScript(3600)], HandlerScript()
    worker.receive(*old)
    await run_until(10)
    worker.dispatcher.assign([ZERO])
    worker.resume()
    worker.receive(recreated)
    await run_until(20)
    assert [len(script.started) for script in old] == [3, 1]
    assert end_times(*old, recreated) == [[], [], [11]]
    assert not worker.dispatcher.in_flight()
    assert worker.commit_offset() == 1
