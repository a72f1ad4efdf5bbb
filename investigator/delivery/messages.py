# SPDX-License-Identifier: GPL-3.0-or-later
"""A message as the delivery engine sees it: as it came, and while it is in hand."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from investigator.delivery.engine import Failure, Step
from investigator.delivery.ledger import Partition, Ticket
from investigator.delivery.origin import Origin
from investigator.delivery.slots import Slot


@dataclass(frozen=True)
class Delivery:
    """One message as it comes from Kafka.

    Args:
        topic: the base name of its topic.
        partition: the partition from which it came.
        offset: its offset there.
        key: messages with the same key are handled in order; None is no key.
        origin: its identity; that of the original where it is a replay.
        steps: makes what is to be done for it; given the slot so that a step that only waits may release it.
        value: its content, as it came.
        headers: likewise.
        timestamp_type: 0 where the producer set its timestamp, 1 where the broker did.
    """

    topic: str
    partition: Partition
    offset: int
    key: bytes | None
    origin: Origin
    steps: Callable[[Slot], Sequence[Step]]
    value: bytes | None = None
    headers: tuple[tuple[str, bytes], ...] = ()
    timestamp_type: int = 0

    @property
    def place(self) -> tuple[int, int]:
        """Where it lies in its topic."""
        return self.partition.number, self.offset


@dataclass
class InHand:
    """A message that was taken up and is not finished, for whoever wants to see what hangs and why.

    Args:
        delivery: the message.
        ticket: finishes it in the ledger.
        slot: its place among the messages that are worked on.
        steps: what is still to be done for it.
        since: when it was taken up, in the event loop's time.
        waits_for: what it waits for; empty while it is worked on.
        failure: why it was given up last.
        done: set when it is out of our hands, finished or let go.
    """

    delivery: Delivery
    ticket: Ticket
    slot: Slot
    steps: list[Step]
    since: float
    waits_for: str = "its turn"
    failure: Failure | None = None
    done: asyncio.Event = field(default_factory=asyncio.Event)
