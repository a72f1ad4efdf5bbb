# SPDX-License-Identifier: GPL-3.0-or-later
"""Creations of one kind that are unavailable hold nothing that other kinds of the namespace need; in virtual time."""

import asyncio
from collections import Counter
from dataclasses import dataclass, field

import pytest

from investigator.argo.admission import Admission
from investigator.argo.outage_waits import Create, Result
from investigator.argo.pending_limit import PendingLimiter, PendingPolicy
from investigator.argo.quota import QuotaGate
from investigator.argo.quota_refusals import QuotaRefusal
from investigator.argo.workflow_creation import CreateResult
from investigator.delivery.current_message import current_context
from investigator.delivery.errors import TemporaryError, UnavailableError
from investigator.resilience.breaker_group import BreakerGroup
from tests.support.virtual_time import in_virtual_time

LIMITS = [(5, 1), (5, 3), (0, 1), (None, 1)]


@dataclass
class Cluster:
    """A namespace with kinds whose creation is unavailable; a workflow is pending for ten seconds."""

    limit: int | None = None
    members: int = 1
    room: int = 1000
    unavailable: set[str] = field(default_factory=set)
    pending: int = 0
    peak: int = 0
    created: "Counter[str]" = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self.breakers = BreakerGroup("cluster")
        policy = PendingPolicy(self.limit, 2.0, lambda: self.members)
        self.gate = QuotaGate("n")
        self.admission = Admission("n", PendingLimiter(policy, self.count), self.gate)

    async def count(self) -> int:
        """Return the number of pending workflows."""
        return self.pending

    def start(self, kind: str, number: int) -> "list[asyncio.Task[CreateResult]]":
        """Start creations of a kind, each for a message of its own."""
        return [asyncio.create_task(self._create(kind)) for _ in range(number)]

    async def _create(self, kind: str) -> CreateResult:
        async def run(create: Create) -> Result:
            return await self._run(create, kind)

        return await self.admission.create(run, lambda: self._post(kind), urgent=False)

    def _post(self, kind: str) -> Result:
        if kind in self.unavailable:
            raise UnavailableError("500 failed calling webhook")
        if self.room <= 0:
            return QuotaRefusal("object-counts", "403 exceeded quota")
        self.room -= 1
        self.pending += 1
        self.peak = max(self.peak, self.pending)
        self.created[kind] += 1
        asyncio.get_running_loop().call_later(10, self._end)
        return CreateResult.CREATED

    def _end(self) -> None:
        self.pending -= 1

    async def _run(self, create: Create, kind: str) -> Result:
        """Call like `Calls`: a failure opens the breaker, and the next call waits."""

        async def attempt() -> Result:
            await asyncio.sleep(0.01)
            return create()

        while True:
            message, since = current_context(), asyncio.get_running_loop().time()
            try:
                return await self.breakers.call(
                    attempt, operation=kind, message_key=message.message_key, while_waiting=message.while_held_back
                )
            except TemporaryError as error:
                self.breakers.open(kind, error, since)


@pytest.mark.parametrize(("limit", "members"), LIMITS)
@pytest.mark.parametrize("room", [0, 1000])
@in_virtual_time
async def test_other_kinds_are_created_while_one_is_unavailable(limit: int | None, members: int, room: int) -> None:
    """A message that waits for a breaker keeps no permit, no turn of the quota, and delays no count."""
    cluster = Cluster(limit, members, unavailable={"solver"}, room=room)
    filling = cluster.start("filling", 3)
    await asyncio.sleep(5)
    cluster.room = 1000
    waiting = cluster.start("solver", 20)
    await asyncio.sleep(60)
    others = cluster.start("adviser", 3)
    await asyncio.wait_for(asyncio.gather(*filling, *others), 45)
    assert not any(task.done() for task in waiting)


@pytest.mark.parametrize(("limit", "members"), LIMITS)
@in_virtual_time
async def test_after_the_outage_all_are_created_once_and_within_the_limit(limit: int | None, members: int) -> None:
    """The calls that continue ask for a permit; only the probe needs none."""
    cluster = Cluster(limit, members, unavailable={"solver"})
    waiting = cluster.start("solver", 20)
    await asyncio.sleep(60)
    cluster.unavailable.clear()
    await asyncio.wait_for(asyncio.gather(*waiting), 20 * 15)
    assert cluster.created == {"solver": 20}
    assert limit is None or cluster.peak <= limit + 2


@in_virtual_time
async def test_cancelled_waits_leave_nothing_behind() -> None:
    """Nothing of an ended wait takes the permits or turns of later creations."""
    cluster = Cluster(limit=0, unavailable={"solver"})
    waiting = cluster.start("solver", 20)
    await asyncio.sleep(60.5)
    for task in waiting:
        task.cancel()
    await asyncio.wait(waiting)
    assert (cluster.gate.waiting, cluster.breakers.waiting("solver")) == (0, 0)
    await asyncio.wait_for(asyncio.gather(*cluster.start("adviser", 1)), 5)
