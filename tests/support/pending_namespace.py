# SPDX-License-Identifier: GPL-3.0-or-later
"""A namespace whose workflows start after a while, for tests of the pending limit in virtual time."""

import asyncio
import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from investigator.argo.pending_limit import PendingLimiter, PendingPolicy


@dataclass
class Namespace:
    """The pending workflows of a namespace, each of which starts some time after its creation; times in seconds."""

    limit: int = 5
    latency: float = 0.02  # of a count
    creation: float = 0.02  # the duration of a creation
    takes_effect: float = 0.5  # the part of that duration after which the workflow is pending
    starts_after: float = 10.0
    pending: int = 0
    counted_at: list[float] = field(default_factory=list)
    created_at_pending: list[int] = field(default_factory=list)
    failure: Exception | None = None  # what the count raises
    hangs: bool = False

    async def count(self) -> int:
        """Answer like the cluster: with the number at the moment in which it processes the request."""
        self.counted_at.append(asyncio.get_running_loop().time())
        await asyncio.sleep(self.latency / 2)
        if self.failure is not None:
            raise self.failure
        while self.hangs:  # noqa: ASYNC110 - the test ends it
            await asyncio.sleep(1)
        counted = self.pending
        await asyncio.sleep(self.latency / 2)
        return counted

    async def create(self) -> None:
        """Create a workflow; it is pending some time before the response."""
        await asyncio.sleep(self.creation * self.takes_effect)
        self.created_at_pending.append(self.pending)
        self.pending += 1
        asyncio.get_running_loop().call_later(self.starts_after, self._start)
        await asyncio.sleep(self.creation * (1 - self.takes_effect))

    def _start(self) -> None:
        self.pending -= 1

    def limiter(self, interval: float = 2.0, members: int = 1) -> PendingLimiter:
        """Return the limiter of one of ``members`` workers for this namespace."""
        return PendingLimiter(PendingPolicy(self.limit, interval, lambda: members), self.count)

    @property
    def shortest_interval(self) -> float:
        """The shortest time between two counts."""
        return round(min(after - before for before, after in pairwise(self.counted_at)), 6)


async def schedule(limiter: PendingLimiter, namespace: Namespace, *, urgent: bool = False) -> None:
    """Create one workflow as soon as there is a permit."""
    async with limiter.acquire(urgent=urgent):
        await namespace.create()


async def create_in_bursts(
    namespace: Namespace, limiters: Sequence[PendingLimiter], most: int, chance: random.Random
) -> None:
    """Let each limiter create in three bursts of at most ``most`` workflows; cancel what waits after 200 seconds."""

    async def burst(limiter: PendingLimiter) -> None:
        await asyncio.sleep(chance.uniform(0, 10))
        await asyncio.gather(*(schedule(limiter, namespace) for _ in range(chance.randrange(most + 1))))

    bursts = [asyncio.create_task(burst(limiter)) for limiter in [*limiters] * 3]
    _, late = await asyncio.wait(bursts, timeout=200)
    for task in late:
        task.cancel()
    await asyncio.gather(*late, return_exceptions=True)
