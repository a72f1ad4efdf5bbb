# SPDX-License-Identifier: GPL-3.0-or-later
"""A static member that is no longer known asks whether it is fenced, before it joins again."""

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest
from aiokafka.consumer.group_coordinator import GroupCoordinator
from aiokafka.errors import GroupCoordinatorNotAvailableError, KafkaError, for_code
from aiokafka.protocol.group import JoinGroupRequest, SyncGroupRequest

from investigator.kafka.patches import fenced_member
from investigator.kafka.patches.all_clients import patch_clients
from investigator.kafka.patches.fenced_member import FencedInstanceIdError, is_fenced

UNKNOWN_MEMBER, FENCED, NOT_COORDINATOR = 25, 82, 16


@pytest.fixture(autouse=True)
def patched() -> None:
    """Use the clients of a worker."""
    patch_clients()


class Coordinator:
    """The part of aiokafka's coordinator that a join uses, at a broker that knows one static member.

    Attributes:
        answer: the broker's answer to a question for the member; an error if it does not answer.
        requests: the kinds of requests that the broker got.
    """

    def __init__(self, instance_id: str | None, answer: int | KafkaError) -> None:
        self._group_instance_id = instance_id
        self._rejoin_needed_fut = asyncio.get_running_loop().create_future()
        self._rebalance_timeout_ms = 1000
        self.member_id, self.generation = "former", 3
        self.answer = answer
        self.requests: list[type] = []

    def request_rejoin(self) -> None:
        """Do nothing: the test joins itself."""

    def coordinator_dead(self) -> None:
        """Do nothing: the test ends at that."""

    async def _send_req(self, request: Any) -> SimpleNamespace:  # noqa: ANN401  aiokafka has no types
        self.requests.append(type(request))
        if isinstance(request, JoinGroupRequest):
            return SimpleNamespace(error_code=NOT_COORDINATOR)
        if isinstance(self.answer, KafkaError):
            raise self.answer
        assert (request._member_id, request._group_instance_id) == ("former", self._group_instance_id)
        return SimpleNamespace(error_code=self.answer)


async def _join(coordinator: Coordinator) -> None:
    assignor = SimpleNamespace(name="a", metadata=lambda _topics: b"")
    subscription = SimpleNamespace(topics=["t"], active=True)
    rebalance = fenced_member._AskingRebalance(coordinator, "group", 1, subscription, [assignor], 1000, 10)
    await rebalance.perform_group_join()


async def test_a_fenced_member_does_not_join_again() -> None:
    """A join would fence the other member, which would join again, and so on."""
    coordinator = Coordinator("an-id", FENCED)
    GroupCoordinator.reset_generation(coordinator)
    with pytest.raises(FencedInstanceIdError, match="an-id"):
        await _join(coordinator)
    assert coordinator.requests == [SyncGroupRequest]


@pytest.mark.parametrize("answer", [UNKNOWN_MEMBER, 0, GroupCoordinatorNotAvailableError()])
async def test_a_member_that_is_not_fenced_joins_again(answer: int | KafkaError) -> None:
    """Its session has expired, or the broker does not answer: whatever it is, the join meets it too."""
    coordinator = Coordinator("an-id", answer)
    GroupCoordinator.reset_generation(coordinator)
    await _join(coordinator)
    assert coordinator.requests == [SyncGroupRequest, JoinGroupRequest]
    await _join(coordinator)
    assert coordinator.requests[2:] == [JoinGroupRequest], "it asks once"


async def test_a_member_without_an_instance_id_asks_nothing() -> None:
    """It can't be fenced."""
    coordinator = Coordinator(None, FENCED)
    GroupCoordinator.reset_generation(coordinator)
    await _join(coordinator)
    assert coordinator.requests == [JoinGroupRequest]


async def test_the_first_join_asks_nothing() -> None:
    """A restarted worker takes the place of its former process."""
    coordinator = Coordinator("an-id", FENCED)
    coordinator.member_id = ""
    await _join(coordinator)
    assert coordinator.requests == [JoinGroupRequest]


def test_the_error_is_recognized_also_as_text() -> None:
    """Aiokafka has no class for it, and wraps the errors of a join that it does not expect."""
    assert for_code(FENCED) is FencedInstanceIdError
    assert is_fenced(KafkaError(repr(FencedInstanceIdError())))
    assert not is_fenced(KafkaError("another"))
