# SPDX-License-Identifier: GPL-3.0-or-later
"""Notify a static member whose instance id another member has taken, instead of letting it join the group again.

A broker gives the place of a static member (`group.instance.id`, KIP-345) to the last one that joins with its id, and
answers the former one with FENCED_INSTANCE_ID. But aiokafka's heartbeats and commits do not name the instance id, so
that the broker only answers that the member is unknown. The client joins again, which fences the other one. Two workers
with one id took turns in this way, about once a second, and neither logged the reason. aiokafka has no class for the
error either. No upstream issue was found.

A member that is no longer known asks once more before it joins again, by a request that names both ids and changes
nothing: SyncGroup. Only a broker that knows another member of that instance id answers that this one is fenced.

Private names in use: `reset_generation` forgets the member id; `perform_group_join` joins; `_group_instance_id` and
`_send_req` are the id and the way to the coordinator.
"""

from functools import wraps
from typing import Any

from aiokafka import errors
from aiokafka.consumer import group_coordinator
from aiokafka.consumer.group_coordinator import CoordinatorGroupRebalance, GroupCoordinator
from aiokafka.errors import BrokerResponseError, KafkaError
from aiokafka.protocol.group import SyncGroupRequest


class FencedInstanceIdError(BrokerResponseError):  # type: ignore[misc]  # aiokafka has no types
    """Another member has joined the group with the same instance id."""

    errno = 82
    message = "FENCED_INSTANCE_ID"
    description = "Another member has joined the group with the same group instance id."


def is_fenced(error: KafkaError) -> bool:
    """Return whether an error of the group says that this member is fenced; aiokafka wraps some errors as text."""
    return isinstance(error, FencedInstanceIdError) or FencedInstanceIdError.__name__ in str(error)


def notice_fenced_members() -> None:
    """Let the static members of this process that are started from now on notice when they are fenced."""
    errors.kafka_errors[FencedInstanceIdError.errno] = FencedInstanceIdError
    group_coordinator.CoordinatorGroupRebalance = _AskingRebalance
    GroupCoordinator.reset_generation = _remember_and_reset


_reset_generation = GroupCoordinator.reset_generation


@wraps(_reset_generation)
def _remember_and_reset(self: Any) -> None:  # noqa: ANN401  aiokafka has no types
    self.former_member_id = self.member_id or getattr(self, "former_member_id", "")
    _reset_generation(self)


class _AskingRebalance(CoordinatorGroupRebalance):  # type: ignore[misc]  # same
    async def perform_group_join(self) -> Any:  # noqa: ANN401  same
        former = getattr(self._coordinator, "former_member_id", "")
        if former and not self._coordinator.member_id and self._coordinator._group_instance_id is not None:  # noqa: SLF001  no public name
            await self._raise_if_fenced(former)
        self._coordinator.former_member_id = ""
        return await super().perform_group_join()

    async def _raise_if_fenced(self, member_id: str) -> None:
        instance_id = self._coordinator._group_instance_id  # noqa: SLF001  no public name
        question = SyncGroupRequest(self.group_id, -1, member_id, instance_id, [])
        try:
            answer = await self._coordinator._send_req(question)  # noqa: SLF001  no public name
        except KafkaError:
            return  # the join that follows meets the same error, and handles it
        if answer.error_code == FencedInstanceIdError.errno:
            raise FencedInstanceIdError(instance_id)
