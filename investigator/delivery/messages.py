# SPDX-License-Identifier: GPL-3.0-or-later
"""A message as the dispatcher sees it: as it was fetched, and while it is in flight."""

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
    """One message as it was fetched from Kafka.

    Args:
        topic: the base name of its topic.
        partition: the partition from which it was fetched.
        offset: its offset there.
        key: messages with the same key are processed in order; None is no key.
        origin: its identity; that of the original message if it is a replay.
        make_steps: returns the steps of the message; called once, when the message has its first slot.
        value: its value, unchanged.
        headers: its headers, unchanged, but without claims to be a replay that it does not prove.
        timestamp_type: 0 if the producer set its timestamp, 1 if the broker did.
        epoch: the assignment epoch of its partition when it was fetched; None if the partition was not assigned then.
        is_for_other_group: whether it is a replay for another consumer group; it has no steps then.
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
    is_for_other_group: bool = False

    @property
    def position(self) -> MessagePosition:
        """The position of the message in its topic."""
        return MessagePosition(self.partition.number, self.offset, self.origin.timestamp_ms)

    @property
    def topic_and_key(self) -> tuple[str, bytes | None]:
        """The same for all messages that are processed in order, unless the key is None."""
        return self.topic, self.key


@dataclass
class InFlightMessage:
    """A message that was accepted and is not finished; the status page shows from it which message waits for what.

    Args:
        delivery: the message.
        ack_token: finishes it in the ledger.
        slot: its slot, held while it is processed.
        accepted_at: when it was accepted, in the event loop's time.
        steps: the steps that are left; None before its first attempt.
        attempts: the task in which its steps run; None before and after its attempts.
        waits_for: what it waits for; empty while it is processed.
        failure: why its retries were exhausted last.
        last_failure: its last failed attempt, and how many had failed by then.
        is_blocking: whether it halted its topic and has not been retried since.
        is_being_dead_lettered: whether its dead letter is being written.
        makes_room: whether it is held back and does not count among the messages in flight of its topic.
        calls: how many calls to dependencies are under way; a probe is one while the message waits.
        holds: how many of its branches are held back.
        has_progressed: whether it has achieved something since its last failed attempt that no later one repeats.
        done: set when its task has ended, finished or cancelled.
    """

    delivery: Delivery
    ack_token: AckToken
    slot: Slot
    accepted_at: float
    steps: list[Step] | None = None
    attempts: asyncio.Task[Failure | None] | None = None
    waits_for: str = "its turn"
    failure: Failure | None = None
    last_failure: Failure | None = None
    is_blocking: bool = False
    is_being_dead_lettered: bool = False
    makes_room: bool = False
    calls: int = 0
    holds: int = 0
    has_progressed: bool = False
    done: asyncio.Event = field(default_factory=asyncio.Event)
    _waits: list[str] = field(default_factory=list)

    @property
    def is_processing(self) -> bool:
        """Whether a drain gives the message time to finish, because a cancellation now would waste its work."""
        return self.slot.held or self.is_being_dead_lettered

    def report_progress(self) -> None:
        """Record that the message has achieved something that no later attempt repeats."""
        self.has_progressed = True

    def take_progress(self) -> bool:
        """Return whether the message has progressed since the last call."""
        progressed, self.has_progressed = self.has_progressed, False
        return progressed

    @asynccontextmanager
    async def waiting_for(self, what: str) -> AsyncIterator[None]:
        """Release the slot while the message waits for something; several waits may go on side by side."""
        self._waits.append(what)
        self.waits_for = what
        try:
            async with self.slot.released():
                yield
        finally:
            self._waits.remove(what)
            self.waits_for = self._waits[-1] if self._waits else ""
