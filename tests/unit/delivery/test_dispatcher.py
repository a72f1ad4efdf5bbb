# SPDX-License-Identifier: GPL-3.0-or-later
"""Messages in parallel, in order where they have to be, and each on its own when it is slow or fails."""

from collections.abc import Iterator
from dataclasses import replace

from investigator.delivery.messages import Delivery
from tests.support.delivery_fakes import OTHER_TOPIC, Act, message
from tests.support.delivery_worker import ONE, OTHER, POLICY, ZERO, Worker, begins, ends, until
from tests.support.virtual_time import in_virtual_time


@in_virtual_time
async def test_messages_of_one_partition_are_handled_in_parallel() -> None:
    """Four workers handle four messages of a single partition at once, and no more than four."""
    worker, acts = Worker(), [Act() for _ in range(10)]
    worker.play(*acts)
    await until(10)
    assert ends(*acts) == [[1], [1], [1], [1], [2], [2], [2], [2], [3], [3]]
    assert worker.position() == 10


@in_virtual_time
async def test_a_slow_message_holds_up_nobody_but_the_commit() -> None:
    """Those behind it are handled; the committed offset waits for it."""
    worker, slow, quick = Worker(), Act(seconds=100), [Act() for _ in range(6)]
    worker.play(slow, *quick)
    await until(5)
    assert ends(*quick) == [[1], [1], [1], [2], [2], [2]]
    assert worker.position() == 0
    await until(100)
    assert worker.position() == 7


@in_virtual_time
async def test_the_workers_are_shared_by_all_topics_and_partitions() -> None:
    """However many partitions there are, no more messages are worked on at once than there are workers."""
    worker, acts = Worker(), [Act() for _ in range(9)]
    worker.play(*acts[:3])
    worker.play(*acts[3:6], partition=1)
    worker.play(*acts[6:], topic=OTHER_TOPIC)
    await until(10)
    assert sorted(end for act in acts for end in act.ended) == sorted([1.0] * 4 + [2.0] * 4 + [3.0])
    assert [worker.position(partition) for partition in (ZERO, ONE, OTHER)] == [3, 3, 3]


@in_virtual_time
async def test_messages_of_one_key_are_handled_in_order() -> None:
    """Each begins when the one before it is done; those of other keys and those without any go on beside them."""
    worker, acts = Worker(), [Act(seconds) for seconds in (3, 1, 1, 1, 1)]
    worker.play(*acts, keys=[b"a", b"a", b"b", None, b"a"])
    await until(10)
    assert begins(*acts) == [[0], [3], [0], [0], [4]]


@in_virtual_time
async def test_messages_without_a_key_have_no_order() -> None:
    """No key is not a key that they all have; an empty key is one."""
    worker, acts = Worker(), [Act() for _ in range(4)]
    worker.play(*acts, keys=[None, None, b"", b""])
    await until(10)
    assert begins(*acts) == [[0], [0], [0], [1]]


@in_virtual_time
async def test_the_order_of_a_key_holds_through_failed_attempts() -> None:
    """A message that fails is not overtaken in its pauses by the next one of its key."""
    worker, acts = Worker(), [Act(failures=2), Act()]
    worker.play(*acts, keys=[b"a", b"a"])
    await until(20)
    assert begins(*acts) == [[0, 2, 5], [6]]


@in_virtual_time
async def test_the_order_of_a_key_holds_through_a_halt() -> None:
    """A message that halted its topic is tried again and done before the next one of its key begins."""
    worker, acts = Worker(), [Act(failures=4), Act(), Act()]
    worker.play(*acts, keys=[b"a", b"a", b"b"])
    await until(100)
    worker.resume()
    await until(200)
    assert begins(*acts) == [[0, 2, 5, 100, 102], [103], [0]]


@in_virtual_time
async def test_the_order_of_a_key_holds_through_a_dead_letter() -> None:
    """The next message of the key begins when the dead letter is written."""
    worker, acts = Worker(), [Act(failures=9), Act()]
    worker.letters.wanted, worker.letters.seconds = {"adviser-trigger"}, 7
    worker.play(*acts, keys=[b"a", b"a"])
    await until(50)
    assert begins(*acts) == [[0, 2, 5], [13]]
    assert worker.position() == 2


@in_virtual_time
async def test_the_pauses_between_attempts_hold_no_worker() -> None:
    """With one worker others are handled while the failed one pauses."""
    worker, failing, good = Worker(replace(POLICY, concurrency=1)), Act(failures=1), Act()
    worker.play(failing, good)
    await until(10)
    assert begins(failing, good) == [[0, 2], [1]]


@in_virtual_time
async def test_a_handler_that_only_waits_holds_no_worker() -> None:
    """Waiting for a place in the cluster keeps no other message from being handled."""
    worker, waiting, others = Worker(replace(POLICY, concurrency=1)), Act(waits=100), [Act(), Act()]
    worker.play(waiting, *others)
    await until(200)
    assert ends(waiting, *others) == [[101], [1], [2]]


@in_virtual_time
async def test_a_failing_message_holds_up_neither_its_topic_nor_another_one() -> None:
    """Until it is given up the others of its topic go on; other topics go on anyway."""
    worker, failing = Worker(), Act(failures=9)
    mine, others = [Act() for _ in range(6)], [Act() for _ in range(30)]
    worker.play(failing, *mine)
    worker.play(*others, topic=OTHER_TOPIC)
    await until(60)
    assert all(act.ended for act in (*mine, *others))
    assert worker.position() == 0
    assert worker.position(OTHER) == 30


@in_virtual_time
async def test_a_halted_topic_with_any_backlog_costs_no_memory_and_slows_no_other_topic() -> None:
    """Of 100,000 messages behind a halt none is taken up, and one taken from the stream."""
    worker = Worker()
    fetched: list[int] = []

    def backlog() -> Iterator[Delivery]:
        for offset in range(1, 100_000):
            fetched.append(offset)
            yield message(offset)

    worker.play(Act(failures=9))
    await until(20)
    worker.offer(backlog())
    others = [Act() for _ in range(400)]
    worker.play(*others, topic=OTHER_TOPIC)
    await until(20 + 101)
    assert all(act.ended for act in others)
    assert fetched == [1]
    assert len(worker.dispatcher.in_flight()) == 1


@in_virtual_time
async def test_no_more_of_a_topic_is_in_hand_than_the_policy_says() -> None:
    """Working, pausing and waiting messages count alike; each that ends makes room for one."""
    worker = Worker(replace(POLICY, max_in_flight=3))
    acts = [Act(seconds=100, failures=1), *(Act() for _ in range(20))]
    worker.play(*acts)
    for time in range(12):
        await until(time)
        assert len(worker.dispatcher.in_flight()) == (3 if time < 10 else 1)
    assert all(act.ended for act in acts[1:])


@in_virtual_time
async def test_what_runs_ahead_of_an_unfinished_message_is_bounded() -> None:
    """What would come again after a crash, and the ledger, stay small however long a message takes."""
    worker = Worker(replace(POLICY, max_offset_lead=5))
    acts = [Act(seconds=100), *(Act() for _ in range(20))]
    worker.play(*acts)
    await until(50)
    assert [bool(act.began) for act in acts] == [True] * 5 + [False] * 16
    await until(150)
    assert all(act.ended for act in acts)


@in_virtual_time
async def test_nothing_is_taken_up_before_it_is_known_what_is_halted() -> None:
    """A worker that starts reads the log of halts to its end first, whatever the broker brings meanwhile."""
    earlier = Worker()
    earlier.halt_coordinator.halt("adviser-trigger", by="operator")
    await until(1)
    starting, act, other = Worker(log=earlier.log, delay=lambda: 10), Act(), Act()
    starting.play(act)
    starting.play(other, topic=OTHER_TOPIC)
    await until(9)
    assert not starting.dispatcher.in_flight()
    await until(50)
    assert begins(act, other) == [[], [11]]


@in_virtual_time
async def test_one_can_see_what_each_message_waits_for() -> None:
    """Whoever looks for what hangs sees it."""
    worker = Worker(replace(POLICY, concurrency=1))
    worker.play(Act(failures=1), Act(5), Act(), Act(), keys=[None, None, b"a", b"a"])
    await until(1.5)
    assert worker.waits() == {0: "its next attempt", 1: "", 2: "a slot", 3: "its turn"}
