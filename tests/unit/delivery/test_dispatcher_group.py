# SPDX-License-Identifier: GPL-3.0-or-later
"""Whatever happens to the workers of a group, every message is finished, and no commit passes an unfinished one."""

import asyncio
import random
from dataclasses import dataclass

from hypothesis import given, settings
from hypothesis import strategies as st

from investigator.delivery.halts import ResumeAction
from investigator.delivery.ledger import Partition
from tests.support.delivery_fakes import OTHER_TOPIC, TOPIC
from tests.support.virtual_time import run_in_virtual_time
from tests.unit.delivery.group import Group, StoredMessage

TOPICS = (TOPIC, OTHER_TOPIC)
PARTITIONS = (Partition(TOPIC, 0), Partition(TOPIC, 1), Partition(OTHER_TOPIC, 0))

stored_messages = st.builds(
    StoredMessage,
    seconds=st.sampled_from([0.0, 0.1, 0.5, 1.0, 5.0]),
    failures=st.sampled_from([0, 0, 0, 0, 0, 1, 1, 2, 5]),
    permanent=st.booleans(),
    key=st.sampled_from([None, None, b"a", b"b"]),
)
partitions_of_messages = st.fixed_dictionaries({each: st.lists(stored_messages, max_size=20) for each in PARTITIONS})
group_changes = st.lists(
    st.tuples(
        st.sampled_from([0.0, 0.01, 0.3, 1.0, 3.0]),
        st.sampled_from(["join", "leave", "crash", "rebalance", "rejoin", "retry", "skip", "dead-letter", "halt"]),
        st.integers(0, 5),
    ),
    max_size=12,
)


async def change(group: Group, what: str, number: int) -> None:
    """Change the group."""
    topic = TOPICS[number % 2]
    if what == "join" and len(group.members) < 3:
        await group.join()
    elif what == "halt" and group.members:
        group.members[number % len(group.members)].worker.halt_coordinator.halt(topic, by="operator")
    elif what in set(ResumeAction):
        group.resume(topic, ResumeAction(what))
    elif what == "rebalance":
        await group.rebalance()
    elif what in {"leave", "crash", "rejoin"} and group.members:
        await {"leave": group.leave, "crash": group.crash, "rejoin": group.rejoin}[what](number)


def check_halts(group: Group) -> None:
    """Check that all workers agree, and that a topic is halted exactly over messages that are not finished."""
    for topic in TOPICS:
        halts = {str(member.worker.halt_coordinator.current_halt(topic)) for member in group.members}
        assert len(halts) == 1
        uncommitted = {
            (partition.number, offset)
            for partition in PARTITIONS
            if partition.topic == topic
            for offset in range(len(group.messages[partition]))
            if not group.is_committed(partition, offset)
        }
        halt = group.members[0].worker.halt_coordinator.current_halt(topic)
        if halt is None:
            assert not uncommitted, "no topic stands still without a halt"
        else:
            causes = {(cause.partition, cause.offset) for cause in halt.causes}
            assert causes <= uncommitted, "no topic is halted over a finished message"


@dataclass
class Scenario:
    """The messages and the changes of the group, in a form that a failing example shows."""

    messages: dict[Partition, list[StoredMessage]]
    changes: list[tuple[float, str, int]]
    seed: int
    dead_letter_topics: frozenset[str]
    rounds: int = 0

    async def run(self) -> None:
        """Run the changes, then resume the topics until every message is finished."""
        chance = random.Random(self.seed)  # noqa: S311  makes delays, guards nothing
        group = Group(self.messages, lambda: chance.choice([0.0, 0.01, 0.2, 0.6]), self.dead_letter_topics)
        await group.join()
        changing = []
        for pause, what, number in self.changes:
            await asyncio.sleep(pause)
            changing.append(asyncio.create_task(change(group, what, number)))
        await asyncio.gather(*changing)
        if not group.members:
            await group.join()
        while await self.needs_resume(group):
            for topic in TOPICS:
                group.resume(topic)
        self.check_end(group)

    async def needs_resume(self, group: Group) -> bool:
        """Wait until no worker is busy; return whether a message or a halt is left."""
        self.rounds += 1
        await asyncio.sleep(100)
        assert not group.violations, group.violations
        check_halts(group)
        assert self.rounds < 200, "each round brings at least one attempt"
        unfinished = any(not stored.finished for messages in self.messages.values() for stored in messages)
        return unfinished or any(member.worker.halt_coordinator.halted_topics(TOPICS) for member in group.members)

    def check_end(self, group: Group) -> None:
        """Check that all is finished and committed, and that no message was lost."""
        skipped = any(what in ("skip", "dead-letter") for _, what, _ in self.changes)
        for partition, messages in self.messages.items():
            assert all(stored.finished for stored in messages)
            assert not messages or group.committed(partition).offset == len(messages)
            for stored in messages:
                assert stored.handled or skipped or partition.topic in self.dead_letter_topics
        for member in group.members:
            assert not member.worker.dispatcher.in_flight()
            assert not member.worker.halt_coordinator.halted_topics(TOPICS)
            assert not member.worker.halt_coordinator.table.topics(), "no message is listed for ever"


@settings(max_examples=60, deadline=None)
@given(
    messages=partitions_of_messages,
    changes=group_changes,
    seed=st.integers(0, 1000),
    dead_letter_topics=st.frozensets(st.sampled_from(TOPICS), max_size=1),
)
def test_every_message_is_finished_whatever_happens_to_the_workers(
    messages: dict[Partition, list[StoredMessage]],
    changes: list[tuple[float, str, int]],
    seed: int,
    dead_letter_topics: frozenset[str],
) -> None:
    """Joins, stops, crashes, rebalances, failures, halts and resumes may come at any moment, with a slow halt log.

    No message is lost, and no commit passes an unfinished message. No message is handled twice in one assignment or
    processed after it was committed, and none overtakes another one with its key. All workers agree on what is halted,
    and a topic is halted exactly while the retries of one of its messages are exhausted. A message is skipped or
    dead-lettered only if an operator decided so, and is not processed after that decision. In the end none is listed.
    """
    run_in_virtual_time(Scenario(messages, changes, seed, dead_letter_topics).run())
