# SPDX-License-Identifier: GPL-3.0-or-later
"""How many workers share the topics: Kafka tells a member only its own part, so the group's leader tells the rest."""

from collections.abc import Iterable, Mapping

from aiokafka.cluster import ClusterMetadata
from aiokafka.coordinator.assignors.roundrobin import RoundRobinPartitionAssignor
from aiokafka.coordinator.protocol import ConsumerProtocolMemberAssignment, ConsumerProtocolMemberMetadata


class GroupSizeAssignor:
    """The consumer group of a worker, as an assignor of aiokafka: round robin, with a word on the whole beside it.

    Workers of other versions in the group understand the assignments, and give ones without that word.
    """

    name = RoundRobinPartitionAssignor.name

    def __init__(self) -> None:
        self._workers = 1

    def member_count(self) -> int:
        """Give the number of workers that have partitions, at least 1; also 1 where the leader did not tell."""
        return self._workers

    def metadata(self, topics: Iterable[str]) -> ConsumerProtocolMemberMetadata:
        """Say which topics this worker wants."""
        return RoundRobinPartitionAssignor.metadata(topics)

    def assign(
        self, cluster: ClusterMetadata, members: Mapping[str, ConsumerProtocolMemberMetadata]
    ) -> dict[str, ConsumerProtocolMemberAssignment]:
        """Share out the partitions among the members; asked of whichever worker leads the group."""
        shares = RoundRobinPartitionAssignor.assign(cluster, members)
        workers = str(sum(bool(share.assignment) for share in shares.values())).encode()
        return {
            member: ConsumerProtocolMemberAssignment(share.version, share.assignment, workers)
            for member, share in shares.items()
        }

    def on_assignment(self, assignment: ConsumerProtocolMemberAssignment) -> None:
        """Take in what the leader has decided."""
        told: bytes = assignment.user_data or b""
        self._workers = max(1, int(told)) if told.isdigit() else 1
