# SPDX-License-Identifier: GPL-3.0-or-later
"""Whatever happens to the workers of a group: every message is handled to its end, and none is passed before that."""

import asyncio
import random
from dataclasses import dataclass

from hypothesis import given, settings
from hypothesis import strategies as st

from investigator.delivery.halts import ResumeAction
from investigator.delivery.ledger import Partition
from tests.support.delivery_fakes import OTHER_TOPIC, TOPIC
from tests.support.virtual_time import run_in_virtual_time
from tests.unit.delivery.group import Group, Letter

TOPICS = (TOPIC, OTHER_TOPIC)
PARTITIONS = (Partition(TOPIC, 0), Partition(TOPIC, 1), Partition(OTHER_TOPIC, 0))

letters = st.builds(
    Letter,
    seconds=st.sampled_from([0.0, 0.1, 0.5, 1.0, 5.0]),
    failures=st.sampled_from([0, 0, 0, 0, 0, 1, 1, 2, 5]),
    permanent=st.booleans(),
    key=st.sampled_from([None, None, b"a", b"b"]),
)
topics_of_letters = st.fixed_dictionaries({each: st.lists(letters, max_size=20) for each in PARTITIONS})
changes = st.lists(
    st.tuples(
        st.sampled_from([0.0, 0.01, 0.3, 1.0, 3.0]),
        st.sampled_from(["join", "leave", "crash", "rebalance", "rejoin", "resume", "skip", "halt"]),
        st.integers(0, 5),
    ),
    max_size=12,
)


async def change(group: Group, what: str, number: int) -> None:
    """Let something happen to the group."""
    topic = TOPICS[number % 2]
    if what == "join" and len(group.members) < 3:
        await group.join()
    elif what == "halt" and group.members:
        group.members[number % len(group.members)].worker.halt_coordinator.halt(topic, by="operator")
    elif what in {"resume", "skip"}:
        group.resume(topic, ResumeAction.SKIP if what == "skip" else ResumeAction.RETRY)
    elif what == "rebalance":
        await group.rebalance()
    elif what in {"leave", "crash", "rejoin"} and group.members:
        await {"leave": group.leave, "crash": group.crash, "rejoin": group.rejoin}[what](number)


def check_halts(group: Group) -> None:
    """All workers agree, and a topic stands still exactly as long as there is a reason that they can name."""
    for topic in TOPICS:
        halts = {str(member.worker.halt_coordinator.current_halt(topic)) for member in group.members}
        assert len(halts) == 1
        left = {
            (partition.number, offset)
            for partition in PARTITIONS
            if partition.topic == topic
            for offset in range(len(group.messages[partition]))
            if not group.is_committed(partition, offset)
        }
        halt = group.members[0].worker.halt_coordinator.current_halt(topic)
        if halt is None:
            assert not left, "nothing stands still without a reason"
        else:
            causes = {(cause.partition, cause.offset) for cause in halt.causes}
            assert causes <= left, "no topic is halted over a message that is done"


@dataclass
class Story:
    """What happened, in a form that a failing example shows."""

    messages: dict[Partition, list[Letter]]
    changes: list[tuple[float, str, int]]
    seed: int
    kept: frozenset[str]
    rounds: int = 0

    async def play(self) -> None:
        """Run it, then resume until all is done."""
        chance = random.Random(self.seed)  # noqa: S311  makes delays, guards nothing
        group = Group(self.messages, lambda: chance.choice([0.0, 0.01, 0.2, 0.6]), self.kept)
        await group.join()
        under_way = []
        for pause, what, number in self.changes:
            await asyncio.sleep(pause)
            under_way.append(asyncio.create_task(change(group, what, number)))
        await asyncio.gather(*under_way)
        if not group.members:
            await group.join()
        while await self.is_going_on(group):
            for topic in TOPICS:
                group.resume(topic)
        self.check_end(group)

    async def is_going_on(self, group: Group) -> bool:
        """Wait until nothing moves any more; tell whether something is left to be resumed."""
        self.rounds += 1
        await asyncio.sleep(100)
        assert not group.wrongs, group.wrongs
        check_halts(group)
        assert self.rounds < 200, "each round brings at least one attempt"
        unfinished = any(not letter.finished for messages in self.messages.values() for letter in messages)
        return unfinished or any(member.worker.halt_coordinator.halted_topics(TOPICS) for member in group.members)

    def check_end(self, group: Group) -> None:
        """Nothing is left to be done, and nothing was lost."""
        skipped = any(what == "skip" for _, what, _ in self.changes)
        for partition, messages in self.messages.items():
            assert all(letter.finished for letter in messages)
            assert not messages or group.committed(partition).offset == len(messages)
            for letter in messages:
                assert letter.handled or skipped or partition.topic in self.kept
        for member in group.members:
            assert not member.worker.dispatcher.in_flight()
            assert not member.worker.halt_coordinator.halted_topics(TOPICS)


@settings(max_examples=60, deadline=None)
@given(
    messages=topics_of_letters,
    changes=changes,
    seed=st.integers(0, 1000),
    kept=st.frozensets(st.sampled_from(TOPICS), max_size=1),
)
def test_every_message_is_handled_to_its_end_whatever_happens_to_the_workers(
    messages: dict[Partition, list[Letter]], changes: list[tuple[float, str, int]], seed: int, kept: frozenset[str]
) -> None:
    """Joins, stops, crashes, rebalances, failures, halts and resumes at any moment, with a slow log of halts.

    Nothing is lost, no commit passes an unfinished message, nothing is handled twice in one assignment or after it was
    committed, no message overtakes another one of its key, all workers agree on what is halted, and a topic is halted
    exactly while a message of it is given up.
    """
    run_in_virtual_time(Story(messages, changes, seed, kept).play())
