# SPDX-License-Identifier: GPL-3.0-or-later
"""What the consumer and the application need from the dispatcher, and an agent from its stream."""

from collections.abc import AsyncIterator, Iterable
from typing import Protocol

from faust.types import Message

from investigator.delivery.ledger import Ledger, Partition
from investigator.delivery.ownership import Ownership


class PartitionOwner(Protocol):
    """Processes the messages of the partitions that are assigned to it; the dispatcher."""

    @property
    def ledger(self) -> Ledger:
        """The ledger of these partitions."""

    @property
    def ownership(self) -> Ownership:
        """Asked before anything is decided permanently about a failed message."""

    def assign(self, partitions: Iterable[Partition]) -> None:
        """Start to accept messages of these partitions."""

    async def drain(self, partitions: Iterable[Partition], grace: float) -> None:
        """Accept no more messages of these partitions; cancel those still in flight after `grace` seconds."""

    def revoke(self, partitions: Iterable[Partition]) -> None:
        """Forget the partitions."""


class StreamEvent(Protocol):
    """One message of a stream."""

    @property
    def message(self) -> Message:
        """The message as Faust's consumer fetched it."""


class EventStream(Protocol):
    """The stream that a Faust agent reads."""

    def noack(self) -> "EventStream":
        """Switch off Faust's own acknowledgements."""

    def events(self) -> AsyncIterator[StreamEvent]:
        """Yield the events of the stream."""
