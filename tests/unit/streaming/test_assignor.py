# SPDX-License-Identifier: GPL-3.0-or-later
"""Each member of a consumer group learns how many workers share the topics."""

import pytest
from aiokafka.cluster import ClusterMetadata
from aiokafka.coordinator.assignors.roundrobin import RoundRobinPartitionAssignor
from aiokafka.coordinator.protocol import ConsumerProtocolMemberAssignment
from aiokafka.structs import PartitionMetadata

from investigator.streaming.assignor import GroupSizeAssignor


def cluster(partitions: int, topics: str = "t") -> ClusterMetadata:
    """Return the metadata of a cluster with topics of one letter each."""
    metadata = ClusterMetadata()
    metadata._partitions = {
        topic: {n: PartitionMetadata(topic, n, 0, [0], [0], None) for n in range(partitions)} for topic in topics
    }
    return metadata


@pytest.mark.parametrize(("members", "partitions", "workers"), [(1, 6, 1), (3, 6, 3), (3, 2, 2), (2, 0, 1)])
def test_members_learn_how_many_have_partitions(members: int, partitions: int, workers: int) -> None:
    """The number travels in the assignments, which are those of the round robin."""
    names = [f"member-{number}" for number in range(members)]
    leader, subscriptions = GroupSizeAssignor(), {name: GroupSizeAssignor().metadata(["t"]) for name in names}
    assigned = leader.assign(cluster(partitions), subscriptions)
    plain = RoundRobinPartitionAssignor.assign(cluster(partitions), subscriptions)
    for name in names:
        received = ConsumerProtocolMemberAssignment.decode(assigned[name].encode())
        assert received.assignment == ConsumerProtocolMemberAssignment.decode(plain[name].encode()).assignment
        member = GroupSizeAssignor()
        member.on_assignment(received)
        assert member.member_count() == workers


@pytest.mark.parametrize("user_data", [b"", None, b"x", b"-3"])
def test_an_assignment_without_the_number_counts_as_one_worker(user_data: bytes | None) -> None:
    """A leader of another version sends such ones; a group has several versions during a rolling update."""
    group = GroupSizeAssignor()
    group.on_assignment(ConsumerProtocolMemberAssignment(0, [], b"4"))
    group.on_assignment(ConsumerProtocolMemberAssignment(0, [], user_data))
    assert group.member_count() == 1


def assign(**subscriptions: list[str]) -> None:
    """Assign partitions to members that subscribe to these topics."""
    leader = GroupSizeAssignor()
    leader.assign(cluster(2, "tab"), {member: leader.metadata(topics) for member, topics in subscriptions.items()})


@pytest.mark.parametrize(
    ("subscriptions", "topics", "members"),
    [
        ({"backend": ["t", "a"], "middletier": ["t", "b"]}, "a,b", "backend,middletier"),
        ({"all": ["t", "a"], "metrics": ["t"]}, "a", "metrics"),
        ({"one": ["a"], "two": ["b"], "three": ["a", "b"]}, "a,b", "one,two"),
    ],
)
def test_members_with_different_topics_are_reported(
    subscriptions: dict[str, list[str]], topics: str, members: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Two modes share a group: the leader names topics, members and the remedy."""
    assign(**subscriptions)
    (record,) = caplog.records
    assert record.levelname == "ERROR"
    assert f"topics={topics} members_without={members}" in record.getMessage()
    assert "KAFKA_CONSUMER_GROUP_ID" in record.getMessage()


def test_members_with_the_same_topics_are_not_reported(caplog: pytest.LogCaptureFixture) -> None:
    """In whatever order they subscribe."""
    assign(one=["t", "a"], two=["a", "t"])
    assert not caplog.records
