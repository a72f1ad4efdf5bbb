# SPDX-License-Identifier: GPL-3.0-or-later
"""A seek waits for one answer of the group's coordinator, and for no leader of a partition."""

import asyncio
from collections.abc import Iterable, Mapping
from typing import Any

import pytest
from aiokafka.consumer.subscription_state import SubscriptionState, TopicPartitionState
from aiokafka.structs import OffsetAndMetadata, TopicPartition

from investigator.delivery.commit_metadata import encode
from investigator.delivery.ledger import CommitPosition, Partition
from investigator.streaming.seek import Seeker

COMMITTED, AT_ZERO, UNCOMMITTED = (TopicPartition("t", number) for number in range(3))
POSITION = CommitPosition(7, frozenset({9}))


class Client:
    """aiokafka's consumer as a seek uses it: with its real state of the partitions, and no broker.

    Attributes:
        answered: to be set when the coordinator answers.
        requests: the partitions of each request to the coordinator.
    """

    def __init__(self) -> None:
        self._subscription = SubscriptionState()
        self._subscription.subscribe({"t"})
        self._fetcher = self._coordinator = self
        self.answered = asyncio.Event()
        self.requests: list[set[TopicPartition]] = []
        self.commits = {
            COMMITTED: OffsetAndMetadata(7, encode(POSITION)),
            AT_ZERO: OffsetAndMetadata(0, None),
        }
        self.assign()

    def assign(self) -> None:
        """Begin another assignment of all partitions."""
        self._subscription.assign_from_subscribed({COMMITTED, AT_ZERO, UNCOMMITTED})

    def state(self, partition: TopicPartition) -> TopicPartitionState:
        """Return the state of a partition in the present assignment."""
        return self._subscription.subscription.assignment.state_value(partition)

    async def fetch_committed_offsets(
        self, partitions: Iterable[TopicPartition]
    ) -> Mapping[TopicPartition, OffsetAndMetadata]:
        """Answer as the coordinator."""
        self.requests.append(set(partitions))
        await self.answered.wait()
        return self.commits

    def seek(self, partition: TopicPartition, offset: int) -> None:
        """Seek, as aiokafka does it."""
        self._subscription.seek(partition, offset)

    def request_offset_reset(self, partitions: Iterable[TopicPartition], strategy: int) -> None:
        """Let the fetcher ask the leaders."""
        for partition in partitions:
            self.state(partition).await_reset(strategy)


@pytest.fixture
def seeker() -> Seeker:
    """The seek of a group that begins at the oldest messages."""
    return Seeker(latest=False)


async def test_one_request_finds_all_commits(seeker: Seeker) -> None:
    """A worker may have hundreds of partitions; the finished offsets after a commit come with it."""
    client = Client()
    client.answered.set()
    positions = await seeker.seek(client)
    assert client.requests == [{COMMITTED, AT_ZERO, UNCOMMITTED}]
    assert positions == {
        Partition("t", 0): POSITION,
        Partition("t", 1): CommitPosition(0),
        Partition("t", 2): None,
    }
    assert (client.state(COMMITTED).position, client.state(AT_ZERO).position) == (7, 0)


@pytest.mark.parametrize("latest", [False, True])
async def test_partitions_without_a_leader_delay_no_other(latest: bool) -> None:  # noqa: FBT001  a parameter
    """No leader answers here, and the seek ends. Those without a commit are reset when their leaders answer."""
    client = Client()
    client.answered.set()
    await asyncio.wait_for(Seeker(latest=latest).seek(client), 1)
    assert client.state(COMMITTED).position == 7
    assert not client.state(UNCOMMITTED).has_valid_position


async def test_messages_that_were_fetched_before_the_seek_are_fetched_again(seeker: Seeker) -> None:
    """Faust may have dropped them, also those of a partition without a commit, or with one of offset 0."""
    client = Client()
    for partition in (COMMITTED, AT_ZERO, UNCOMMITTED):
        client.seek(partition, 20)
    client.answered.set()
    await seeker.seek(client)
    assert (client.state(COMMITTED).position, client.state(AT_ZERO).position) == (7, 0)
    assert client.state(UNCOMMITTED).awaiting_reset


async def test_a_seek_of_the_former_assignment_does_not_move_the_present_one(seeker: Seeker) -> None:
    """Faust cancels it, but not in the consumer's thread; its answer is from before the last commits."""
    client = Client()
    seek = asyncio.create_task(seeker.seek(client))
    await asyncio.sleep(0)
    client.assign()
    for partition in (COMMITTED, AT_ZERO, UNCOMMITTED):
        client.seek(partition, 20)
    client.answered.set()
    assert await asyncio.wait_for(seek, 1) == {}
    assert [client.state(each).position for each in (COMMITTED, AT_ZERO, UNCOMMITTED)] == [20, 20, 20]


async def test_a_seek_without_an_answer_ends_with_its_assignment(seeker: Seeker) -> None:
    """The thread has two tasks for calls: seeks that wait for ever would leave none for polls."""
    client = Client()
    seek = asyncio.create_task(seeker.seek(client))
    await asyncio.sleep(0)
    client.assign()
    assert await asyncio.wait_for(seek, 1) == {}


async def test_the_first_end_of_a_partition_is_kept_also_if_its_leader_answers_late() -> None:
    """A group with `latest` would otherwise skip what was sent between two assignments without a commit."""
    client, seeker = Client(), Seeker(latest=True)
    client.answered.set()
    await seeker.seek(client)
    assert seeker.start_offsets() == {}
    client.state(UNCOMMITTED).await_reset(-1)
    client.state(UNCOMMITTED).reset_to(50)
    await _settle()
    assert seeker.start_offsets() == {Partition("t", 2): 50}
    client.assign()
    assert (await seeker.seek(client))[Partition("t", 2)] == CommitPosition(50)
    assert client.state(UNCOMMITTED).position == 50
    client.commits[UNCOMMITTED] = OffsetAndMetadata(60, "")
    await seeker.seek(client)
    assert seeker.start_offsets() == {}


async def test_a_first_end_is_not_committed_before_the_seek_of_a_later_assignment() -> None:
    """Another worker may have committed in between; a commit of the first end would repeat all of its messages."""
    client, seeker = Client(), Seeker(latest=True)
    client.answered.set()
    await seeker.seek(client)
    client.state(UNCOMMITTED).await_reset(-1)
    client.state(UNCOMMITTED).reset_to(50)
    await _settle()
    client.answered.clear()
    client.assign()
    seek = asyncio.create_task(seeker.seek(client))
    await _settle()
    assert seeker.start_offsets() == {}
    client.commits[UNCOMMITTED] = OffsetAndMetadata(60, "")
    client.answered.set()
    assert (await seek)[Partition("t", 2)] == CommitPosition(60)
    assert seeker.start_offsets() == {}


async def test_an_end_that_is_found_in_a_later_assignment_is_not_taken_for_the_first() -> None:
    """The wait for it ends with the assignment."""
    client, seeker = Client(), Seeker(latest=True)
    client.answered.set()
    await seeker.seek(client)
    former: Any = client.state(UNCOMMITTED)
    client.assign()
    former.await_reset(-1)
    former.reset_to(50)
    await _settle()
    assert seeker.start_offsets() == {}


async def _settle() -> None:
    for _ in range(10):
        await asyncio.sleep(0)
