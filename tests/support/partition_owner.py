# SPDX-License-Identifier: GPL-3.0-or-later
"""The dispatcher's side of a consumer, for tests that need no message to be processed."""

from collections.abc import Iterable

from investigator.delivery.ledger import Ledger, Partition
from investigator.delivery.ownership import Ownership


class FakePartitionOwner:
    """Keeps a ledger, and records what it is asked to drain."""

    def __init__(self) -> None:
        self.ledger = Ledger(max_offset_lead=10)
        self.ownership = Ownership(self.ledger)
        self.drained: list[tuple[frozenset[Partition], float]] = []

    def assign(self, partitions: Iterable[Partition]) -> None:
        """Assign the partitions in the ledger."""
        for partition in partitions:
            self.ledger.assign(partition)

    async def drain(self, partitions: Iterable[Partition], grace: float) -> None:
        """Record the call."""
        self.drained.append((frozenset(partitions), grace))

    def revoke(self, partitions: Iterable[Partition]) -> None:
        """Revoke the partitions in the ledger."""
        for partition in partitions:
            self.ledger.revoke(partition)
