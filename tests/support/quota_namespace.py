# SPDX-License-Identifier: GPL-3.0-or-later
"""A namespace with a quota of its workflows, for tests in virtual time."""

import asyncio
from dataclasses import dataclass, field

from investigator.argo.quota import QuotaGate
from investigator.argo.quota_refusals import QuotaRefusal


@dataclass
class QuotaNamespace:
    """A namespace in which ``room`` workflows may be created; times in seconds."""

    room: int = 0
    latency: float = 0.02
    created_at: list[float] = field(default_factory=list)
    refused_at: list[float] = field(default_factory=list)
    refused_kinds: set[str] = field(default_factory=set)  # kinds that a quota of their own refuses
    kinds: list[str] = field(default_factory=list)  # of the created workflows

    async def create(self, kind: str = "") -> QuotaRefusal | None:
        """Create a workflow as the API does; return the refusal if there is no room."""
        await asyncio.sleep(self.latency / 2)
        now = asyncio.get_running_loop().time()
        if self.room <= 0 or kind in self.refused_kinds:
            self.refused_at.append(now)
            refusal = QuotaRefusal("object-counts", f"403 exceeded quota: object-counts, kind {kind}")
        else:
            self.room -= 1
            self.created_at.append(now)
            self.kinds.append(kind)
            refusal = None
        await asyncio.sleep(self.latency / 2)
        return refusal

    async def create_in_turn(self, gate: QuotaGate, kind: str = "", *, urgent: bool = False) -> None:
        """Create a workflow like the scheduler, in as many turns as it takes."""
        since = asyncio.get_running_loop().time()
        while True:
            async with gate.turn(urgent=urgent, since=since) as turn:
                refusal = await self.create(kind)
                if refusal is None:
                    turn.succeed()
                    return
                turn.refuse(refusal)
