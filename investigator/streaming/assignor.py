# SPDX-License-Identifier: GPL-3.0-or-later
"""How many workers share the topics: a member only gets its own assignment, so the group's leader adds the number."""

import logging
from collections.abc import Iterable, Mapping

from aiokafka.cluster import ClusterMetadata
from aiokafka.coordinator.assignors.roundrobin import RoundRobinPartitionAssignor
from aiokafka.coordinator.protocol import ConsumerProtocolMemberAssignment, ConsumerProtocolMemberMetadata

_LOGGER = logging.getLogger(__name__)

_DIFFERENT_TOPICS = (
    "Members of the consumer group subscribe to different topics, so messages of these topics are handled in some "
    "modes only. Set another KAFKA_CONSUMER_GROUP_ID for each THOTH_CONSUMER_MODE; during an update that adds message "
    "types, this ends by itself topics=%s members_without=%s"
)


class GroupSizeAssignor:
    """An assignor of aiokafka: round robin, with the number of workers in the user data of each assignment.

    Workers of other versions in the group understand these assignments; theirs come without the number.
    """

    name = RoundRobinPartitionAssignor.name

    def __init__(self) -> None:
        self._members = 1

    def member_count(self) -> int:
        """Return the number of workers that have partitions: at least 1, and 1 if the leader did not send it."""
        return self._members

    def metadata(self, topics: Iterable[str]) -> ConsumerProtocolMemberMetadata:
        """Return the subscription that this worker joins the group with."""
        return RoundRobinPartitionAssignor.metadata(topics)

    def assign(
        self, cluster: ClusterMetadata, members: Mapping[str, ConsumerProtocolMemberMetadata]
    ) -> dict[str, ConsumerProtocolMemberAssignment]:
        """Assign the partitions to the members; called only on the worker that leads the group."""
        _report_different_topics({member: frozenset(each.subscription) for member, each in members.items()})
        assignments = RoundRobinPartitionAssignor.assign(cluster, members)
        count = str(sum(bool(each.assignment) for each in assignments.values())).encode()
        return {
            member: ConsumerProtocolMemberAssignment(each.version, each.assignment, count)
            for member, each in assignments.items()
        }

    def on_assignment(self, assignment: ConsumerProtocolMemberAssignment) -> None:
        """Read the number of workers from the assignment that the leader sent."""
        count: bytes = assignment.user_data or b""
        self._members = max(1, int(count)) if count.isdigit() else 1


def _report_different_topics(subscriptions: Mapping[str, frozenset[str]]) -> None:
    every = frozenset[str]().union(*subscriptions.values())
    without = sorted(member for member, topics in subscriptions.items() if topics != every)
    if without:
        shared = every.intersection(*subscriptions.values())
        _LOGGER.error(_DIFFERENT_TOPICS, ",".join(sorted(every - shared)), ",".join(without))
