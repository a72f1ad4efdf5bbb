# SPDX-License-Identifier: GPL-3.0-or-later
"""Fakes around the dispatcher, in memory: dead letters, an observer, and messages with scripted handlers."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from investigator.delivery.current_message import current_context
from investigator.delivery.ledger import Partition
from investigator.delivery.messages import Delivery
from investigator.delivery.origin import Origin
from investigator.delivery.retry import Failure, Step

TOPIC = "adviser-trigger"
OTHER_TOPIC = "solved-package"


def now() -> float:
    """Return the loop's time."""
    return asyncio.get_running_loop().time()


@dataclass
class FakeDeadLetters:
    """Publishes dead letters of the accepted topics into a list; with an `error` publishing fails."""

    accepted_topics: set[str] = field(default_factory=set)
    seconds: float = 0.0
    error: Exception | None = None
    published: list[tuple[Delivery, Failure]] = field(default_factory=list)
    successes: list[int] = field(default_factory=list)

    def accepts(self, delivery: Delivery) -> bool:
        """Return whether the topic's failed messages become dead letters."""
        return delivery.topic in self.accepted_topics

    def record_success(self, delivery: Delivery) -> None:
        """Record the message."""
        self.successes.append(delivery.offset)

    async def publish(self, delivery: Delivery, failure: Failure) -> None:
        """Record the message after `seconds`, or raise the error."""
        await asyncio.sleep(self.seconds)
        if self.error is not None:
            raise self.error
        self.published.append((delivery, failure))

    def offsets(self) -> list[int]:
        """Return the offsets of the published messages."""
        return [delivery.offset for delivery, _ in self.published]


@dataclass
class RecordingObserver:
    """Records what the dispatcher reports of messages, by their offsets."""

    running: int = 0
    most_running: int = 0
    succeeded: list[int] = field(default_factory=list)
    exhausted_offsets: list[int] = field(default_factory=list)
    finished_offsets: list[int] = field(default_factory=list)
    context_offsets: list[int] = field(default_factory=list)

    @contextmanager
    def context(self, delivery: Delivery) -> Iterator[None]:
        """Record the message whose processing begins."""
        self.context_offsets.append(delivery.offset)
        yield

    def started(self, _delivery: Delivery) -> None:
        """Count the message as in progress."""
        self.running += 1
        self.most_running = max(self.most_running, self.running)

    def failed_attempt(self, delivery: Delivery, error: Exception, attempts: int) -> None:
        """Record nothing."""

    def exhausted(self, delivery: Delivery, _failure: Failure) -> None:
        """Record the message."""
        self.exhausted_offsets.append(delivery.offset)

    def stopped(self, delivery: Delivery, *, succeeded: bool) -> None:
        """Count the message as no longer in progress; record it if it succeeded."""
        self.running -= 1
        if succeeded:
            self.succeeded.append(delivery.offset)

    def finished(self, delivery: Delivery, _seconds: float) -> None:
        """Record the message."""
        self.finished_offsets.append(delivery.offset)


@dataclass
class HandlerScript:
    """The handler of one message: how long each attempt takes, and how many attempts fail before it succeeds.

    Args:
        seconds: the duration of each attempt, spent holding a slot.
        failures: the number of attempts that fail.
        error: makes the error of a failed attempt.
        waits: the seconds that each attempt first waits without its slot, as calls wait for a permit.
        started: when each attempt started.
        ended: when the successful attempt ended.
    """

    seconds: float = 1.0
    failures: int = 0
    error: Callable[[], Exception] = lambda: ValueError("trouble")
    waits: float = 0.0
    started: list[float] = field(default_factory=list)
    ended: list[float] = field(default_factory=list)

    def steps(self) -> list[Step]:
        """Return the one step of the message."""
        return [self._handle]

    async def _handle(self) -> None:
        self.started.append(now())
        if self.waits:
            async with current_context().while_waiting("something"):
                await asyncio.sleep(self.waits)
        await asyncio.sleep(self.seconds)
        if self.failures:
            self.failures -= 1
            raise self.error()
        self.ended.append(now())


def message(
    offset: int,
    script: HandlerScript | None = None,
    *,
    topic: str = TOPIC,
    partition: int = 0,
    key: bytes | None = None,
) -> Delivery:
    """Return a message whose handler follows the script."""
    origin = Origin(topic, partition, offset, timestamp_ms=1_600_000_000_000 + offset)
    make_steps = (script or HandlerScript()).steps
    return Delivery(topic, Partition(topic, partition), offset, key, origin, make_steps, value=b"{}")
