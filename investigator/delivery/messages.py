# SPDX-License-Identifier: GPL-3.0-or-later
"""A message as the delivery engine sees it: as it came, and while it is in hand."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from investigator.delivery.ledger import AckToken, Partition
from investigator.delivery.origin import MessagePosition, Origin
from investigator.delivery.retry import Failure, Step
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
        make_steps: returns what is to be done for the message; called once, when it has its first slot.
        value: its content, as it came.
        headers: likewise.
        timestamp_type: 0 where the producer set its timestamp, 1 where the broker did.
        epoch: the assignment epoch of its partition when it was fetched; None if the partition was not assigned then.
    """

    topic: str
    partition: Partition
    offset: int
    key: bytes | None
    origin: Origin
    make_steps: Callable[[], Sequence[Step]]
    value: bytes | None = None
    headers: tuple[tuple[str, bytes | None], ...] = ()
    timestamp_type: int = 0
    epoch: int | None = None

    @property
    def position(self) -> MessagePosition:
        """Where it lies in its topic."""
        return MessagePosition(self.partition.number, self.offset, self.origin.timestamp_ms)

    @property
    def topic_and_key(self) -> tuple[str, bytes | None]:
        """What messages have in common that are handled in order, unless the key is None."""
        return self.topic, self.key


@dataclass
class InFlightMessage:
    """A message that was taken up and is not finished, for whoever wants to see what hangs and why.

    Args:
        delivery: the message.
        ticket: finishes it in the ledger.
        slot: its place among the messages that are worked on.
        since: when it was taken up, in the event loop's time.
        steps: what is still to be done for it; None before it is worked on for the first time.
        waits_for: what it waits for; empty while it is worked on.
        failure: why it was given up last.
        last_failure: the last attempt that failed, and how many had failed by then.
        is_parked: whether it was given up and halted its topic, and has not been tried again since.
        is_being_kept: whether it is being written as a dead letter.
        done: set when it is out of our hands, finished or let go.
    """

    delivery: Delivery
    ack_token: AckToken
    slot: Slot
    accepted_at: float
    steps: list[Step] | None = None
    waits_for: str = "its turn"
    failure: Failure | None = None
    last_failure: Failure | None = None
    is_blocking: bool = False
    is_being_dead_lettered: bool = False
    done: asyncio.Event = field(default_factory=asyncio.Event)
    _waits: list[str] = field(default_factory=list)

    @property
    def is_processing(self) -> bool:
        """Whether it would be a pity to let it go right now."""
        return self.slot.held or self.is_being_dead_lettered

    @asynccontextmanager
    async def waiting(self, what: str) -> AsyncIterator[None]:
        """Let another message be worked on while this one waits for something; several waits may go on side by side."""
        self._waits.append(what)
        self.waits_for = what
        try:
            async with self.slot.released():
                yield
        finally:
            self._waits.remove(what)
            self.waits_for = self._waits[-1] if self._waits else ""
