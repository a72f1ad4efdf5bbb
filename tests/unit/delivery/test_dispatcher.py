# SPDX-License-Identifier: GPL-3.0-or-later
"""Messages run in parallel, in order where a key requires it, and without delay from slow or failed ones."""

from collections.abc import Iterator
from dataclasses import replace

from investigator.delivery.messages import Delivery
from tests.support.delivery_fakes import OTHER_TOPIC, HandlerScript, message
from tests.support.delivery_worker import ONE, OTHER, POLICY, ZERO, Worker, end_times, run_until, start_times
from tests.support.virtual_time import in_virtual_time


@in_virtual_time
async def test_messages_of_one_partition_are_processed_in_parallel() -> None:
    """With a concurrency of four, four messages of a single partition run at once, and no more than four."""
    worker, scripts = Worker(), [HandlerScript() for _ in range(10)]
    worker.receive(*scripts)
    await run_until(10)
    assert end_times(*scripts) == [[1], [1], [1], [1], [2], [2], [2], [2], [3], [3]]
    assert worker.commit_offset() == 10


@in_virtual_time
async def test_a_slow_message_delays_only_the_commit() -> None:
    """Later messages are processed; the committed offset waits for it."""
    worker, slow, quick = Worker(), HandlerScript(seconds=100), [HandlerScript() for _ in range(6)]
    worker.receive(slow, *quick)
    await run_until(5)
    assert end_times(*quick) == [[1], [1], [1], [2], [2], [2]]
    assert worker.commit_offset() == 0
    await run_until(100)
    assert worker.commit_offset() == 7


@in_virtual_time
async def test_the_slots_are_shared_by_all_topics_and_partitions() -> None:
    """However many partitions there are, no more messages are processed at once than there are slots."""
    worker, scripts = Worker(), [HandlerScript() for _ in range(9)]
    worker.receive(*scripts[:3])
    worker.receive(*scripts[3:6], partition=1)
    worker.receive(*scripts[6:], topic=OTHER_TOPIC)
    await run_until(10)
    assert sorted(end for script in scripts for end in script.ended) == sorted([1.0] * 4 + [2.0] * 4 + [3.0])
    assert [worker.commit_offset(partition) for partition in (ZERO, ONE, OTHER)] == [3, 3, 3]


@in_virtual_time
async def test_messages_with_the_same_key_are_processed_in_order() -> None:
    """Each starts when the previous one has finished; those with other keys or none run in parallel."""
    worker, scripts = Worker(), [HandlerScript(seconds) for seconds in (3, 1, 1, 1, 1)]
    worker.receive(*scripts, keys=[b"a", b"a", b"b", None, b"a"])
    await run_until(10)
    assert start_times(*scripts) == [[0], [3], [0], [0], [4]]


@in_virtual_time
async def test_messages_without_a_key_have_no_order() -> None:
    """No key is not a key that they share; an empty key is one."""
    worker, scripts = Worker(), [HandlerScript() for _ in range(4)]
    worker.receive(*scripts, keys=[None, None, b"", b""])
    await run_until(10)
    assert start_times(*scripts) == [[0], [0], [0], [1]]


@in_virtual_time
async def test_the_order_of_a_key_holds_through_failed_attempts() -> None:
    """The next message with the key does not overtake a failed one in its pauses."""
    worker, scripts = Worker(), [HandlerScript(failures=2), HandlerScript()]
    worker.receive(*scripts, keys=[b"a", b"a"])
    await run_until(20)
    assert start_times(*scripts) == [[0, 2, 5], [6]]


@in_virtual_time
async def test_the_order_of_a_key_holds_through_a_halt() -> None:
    """A message that halted its topic is retried and finished before the next one with its key starts."""
    worker, scripts = Worker(), [HandlerScript(failures=4), HandlerScript(), HandlerScript()]
    worker.receive(*scripts, keys=[b"a", b"a", b"b"])
    await run_until(100)
    worker.resume()
    await run_until(200)
    assert start_times(*scripts) == [[0, 2, 5, 100, 102], [103], [0]]


@in_virtual_time
async def test_the_order_of_a_key_holds_through_a_dead_letter() -> None:
    """The next message with the key starts when the dead letter is written."""
    worker, scripts = Worker(), [HandlerScript(failures=9), HandlerScript()]
    worker.dead_letters.accepted_topics, worker.dead_letters.seconds = {"adviser-trigger"}, 7
    worker.receive(*scripts, keys=[b"a", b"a"])
    await run_until(50)
    assert start_times(*scripts) == [[0, 2, 5], [13]]
    assert worker.commit_offset() == 2


@in_virtual_time
async def test_a_pause_between_attempts_holds_no_slot() -> None:
    """With one slot, other messages are processed while the failed one pauses."""
    worker, failing, good = Worker(replace(POLICY, concurrency=1)), HandlerScript(failures=1), HandlerScript()
    worker.receive(failing, good)
    await run_until(10)
    assert start_times(failing, good) == [[0, 2], [1]]


@in_virtual_time
async def test_a_handler_that_only_waits_holds_no_slot() -> None:
    """While one message waits for a permit, others are processed."""
    worker, waiting, others = (
        Worker(replace(POLICY, concurrency=1)),
        HandlerScript(waits=100),
        [HandlerScript(), HandlerScript()],
    )
    worker.receive(waiting, *others)
    await run_until(200)
    assert end_times(waiting, *others) == [[101], [1], [2]]


@in_virtual_time
async def test_a_failing_message_delays_neither_its_topic_nor_another_one() -> None:
    """The rest of its topic goes on until its retries are exhausted; other topics always do."""
    worker, failing = Worker(), HandlerScript(failures=9)
    mine, others = [HandlerScript() for _ in range(6)], [HandlerScript() for _ in range(30)]
    worker.receive(failing, *mine)
    worker.receive(*others, topic=OTHER_TOPIC)
    await run_until(60)
    assert all(script.ended for script in (*mine, *others))
    assert worker.commit_offset() == 0
    assert worker.commit_offset(OTHER) == 30


@in_virtual_time
async def test_a_halted_topic_with_any_backlog_costs_no_memory_and_slows_no_other_topic() -> None:
    """Of 100,000 messages after a halt none is accepted, and one is taken from the stream."""
    worker = Worker()
    fetched: list[int] = []

    def backlog() -> Iterator[Delivery]:
        for offset in range(1, 100_000):
            fetched.append(offset)
            yield message(offset)

    worker.receive(HandlerScript(failures=9))
    await run_until(20)
    worker.submit(backlog())
    others = [HandlerScript() for _ in range(400)]
    worker.receive(*others, topic=OTHER_TOPIC)
    await run_until(20 + 101)
    assert all(script.ended for script in others)
    assert fetched == [1]
    assert len(worker.dispatcher.in_flight()) == 1


@in_virtual_time
async def test_no_more_messages_of_a_topic_are_in_flight_than_the_policy_allows() -> None:
    """Processing, pausing and waiting messages count alike; each that ends makes room for one."""
    worker = Worker(replace(POLICY, max_in_flight=3))
    scripts = [HandlerScript(seconds=100, failures=1), *(HandlerScript() for _ in range(20))]
    worker.receive(*scripts)
    for time in range(12):
        await run_until(time)
        assert len(worker.dispatcher.in_flight()) == (3 if time < 10 else 1)
    assert all(script.ended for script in scripts[1:])


@in_virtual_time
async def test_offsets_after_an_unfinished_message_are_accepted_up_to_a_bound() -> None:
    """The redelivery after a crash, and the ledger, stay small however long a message takes."""
    worker = Worker(replace(POLICY, max_offset_lead=5))
    scripts = [HandlerScript(seconds=100), *(HandlerScript() for _ in range(20))]
    worker.receive(*scripts)
    await run_until(50)
    assert [bool(script.started) for script in scripts] == [True] * 5 + [False] * 16
    await run_until(150)
    assert all(script.ended for script in scripts)


@in_virtual_time
async def test_no_message_is_accepted_before_the_halts_are_known() -> None:
    """A starting worker first reads the halt log to its end, whatever the broker delivers meanwhile."""
    earlier = Worker()
    earlier.halt_coordinator.halt("adviser-trigger", by="operator")
    await run_until(1)
    starting, script, other = Worker(log=earlier.log, delay=lambda: 10), HandlerScript(), HandlerScript()
    starting.receive(script)
    starting.receive(other, topic=OTHER_TOPIC)
    await run_until(9)
    assert not starting.dispatcher.in_flight()
    await run_until(50)
    assert start_times(script, other) == [[], [11]]


@in_virtual_time
async def test_each_message_in_flight_says_what_it_waits_for() -> None:
    """An operator sees why a message hangs."""
    worker = Worker(replace(POLICY, concurrency=1))
    worker.receive(
        HandlerScript(failures=1), HandlerScript(5), HandlerScript(), HandlerScript(), keys=[None, None, b"a", b"a"]
    )
    await run_until(1.5)
    assert worker.waiting_for() == {0: "its next attempt", 1: "", 2: "a slot", 3: "its turn"}
