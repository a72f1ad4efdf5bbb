# SPDX-License-Identifier: GPL-3.0-or-later
"""Each member of a consumer group learns how many workers share the topics."""

import pytest
from aiokafka.cluster import ClusterMetadata
from aiokafka.coordinator.assignors.roundrobin import RoundRobinPartitionAssignor
from aiokafka.coordinator.protocol import ConsumerProtocolMemberAssignment
from aiokafka.structs import PartitionMetadata

from investigator.streaming.assignor import GroupSizeAssignor


def cluster(partitions: int) -> ClusterMetadata:
    """Return the metadata of a cluster with one topic."""
    metadata = ClusterMetadata()
    metadata._partitions = {"t": {n: PartitionMetadata("t", n, 0, [0], [0], None) for n in range(partitions)}}
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
