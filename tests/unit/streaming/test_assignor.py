# SPDX-License-Identifier: GPL-3.0-or-later
"""Each member of a consumer group learns how many workers share the topics."""

import pytest
from aiokafka.cluster import ClusterMetadata
from aiokafka.coordinator.assignors.roundrobin import RoundRobinPartitionAssignor
from aiokafka.coordinator.protocol import ConsumerProtocolMemberAssignment
from aiokafka.structs import PartitionMetadata

from investigator.streaming.assignor import GroupSizeAssignor


def cluster(partitions: int) -> ClusterMetadata:
    """Give what a client knows of a cluster with one topic."""
    known = ClusterMetadata()
    known._partitions = {"t": {n: PartitionMetadata("t", n, 0, [0], [0], None) for n in range(partitions)}}
    return known


@pytest.mark.parametrize(("members", "partitions", "workers"), [(1, 6, 1), (3, 6, 3), (3, 2, 2), (2, 0, 1)])
def test_members_learn_how_many_have_partitions(members: int, partitions: int, workers: int) -> None:
    """The number goes through the protocol with the assignments, which are those of the round robin."""
    names = [f"member-{number}" for number in range(members)]
    leader, wanted = GroupSizeAssignor(), {name: GroupSizeAssignor().metadata(["t"]) for name in names}
    given = leader.assign(cluster(partitions), wanted)
    plain = RoundRobinPartitionAssignor.assign(cluster(partitions), wanted)
    for name in names:
        received = ConsumerProtocolMemberAssignment.decode(given[name].encode())
        assert received.assignment == ConsumerProtocolMemberAssignment.decode(plain[name].encode()).assignment
        member = GroupSizeAssignor()
        member.on_assignment(received)
        assert member.member_count() == workers


@pytest.mark.parametrize("told", [b"", None, b"x", b"-3"])
def test_a_leader_of_another_version_tells_nothing(told: bytes | None) -> None:
    """Workers of several versions live in one group while a new one is rolled out."""
    group = GroupSizeAssignor()
    group.on_assignment(ConsumerProtocolMemberAssignment(0, [], b"4"))
    group.on_assignment(ConsumerProtocolMemberAssignment(0, [], told))
    assert group.member_count() == 1
