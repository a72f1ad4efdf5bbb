# SPDX-License-Identifier: GPL-3.0-or-later
"""The world around the delivery engine, in memory: the log of halts, dead letters, an observer, and messages."""

import asyncio
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from investigator.delivery.current_message import current_context
from investigator.delivery.halt_coordinator import HaltCoordinator
from investigator.delivery.halts import HaltKey, HaltRecord
from investigator.delivery.ledger import Partition
from investigator.delivery.messages import Delivery
from investigator.delivery.origin import Origin
from investigator.delivery.retry import Failure, Step

TOPIC = "adviser-trigger"
OTHER_TOPIC = "solved-package"

Record = tuple[int, HaltKey, HaltRecord | None]


def now() -> float:
    """Tell the loop's time."""
    return asyncio.get_running_loop().time()


@dataclass
class Log:
    """A log that all workers share."""

    records: list[Record] = field(default_factory=list)
    views: "list[LogView]" = field(default_factory=list)

    def append(self, register: HaltKey, entry: HaltRecord | None) -> int:
        """Write a record and tell where it is."""
        offset = self.end()
        self.records.append((offset, register, entry))
        for view in self.views:
            view.later(view.read_next)
        return offset

    def end(self) -> int:
        """Tell where the next record will be."""
        return self.records[-1][0] + 1 if self.records else 0

    def compact(self, read_by_all: int) -> None:
        """Keep the last record of each register; clearings stay until all have read them, as the broker keeps them."""
        last = {register: offset for offset, register, _ in self.records}
        self.records = [
            (offset, register, entry)
            for offset, register, entry in self.records
            if offset == self.end() - 1 or (offset == last[register] and (entry is not None or offset >= read_by_all))
        ]


@dataclass
class LogView:
    """How one worker writes and reads the log: each step when a test lets it, or by itself, each after some delay."""

    log: Log
    delay: Callable[[], float] | None = None
    halt_coordinator: HaltCoordinator = field(init=False)
    position: int = 0
    to_write: deque[tuple[HaltKey, HaltRecord | None, Callable[[int], None]]] = field(default_factory=deque)
    to_confirm: list[tuple[Callable[[int], None], int]] = field(default_factory=list)
    is_closed: bool = False

    def start(self) -> None:
        """Begin to do everything by itself."""
        self.log.views.append(self)
        end = self.log.end()
        for _ in self.unread():
            self.later(lambda: self.read_next(end))
        self.later(lambda: self.read_next(end))

    def later(self, act: Callable[[], object]) -> None:
        """Do a step of its own accord."""
        if self.delay is not None:
            asyncio.get_running_loop().call_later(self.delay(), lambda: self.is_closed or act())

    def publish(self, register: HaltKey, entry: HaltRecord | None, on_written: Callable[[int], None]) -> None:
        """Take a record to be written."""
        self.to_write.append((register, entry, on_written))
        self.later(self.write)

    def write(self) -> None:
        """Write the next record; nobody is told yet."""
        register, entry, on_written = self.to_write.popleft()
        self.to_confirm.append((on_written, self.log.append(register, entry)))
        self.later(self.confirm)

    def confirm(self, number: int = 0) -> None:
        """Tell that a record was written, in any order."""
        on_written, offset = self.to_confirm.pop(number)
        on_written(offset)

    def unread(self) -> list[Record]:
        """Give what was written and not read yet."""
        return [record for record in self.log.records if record[0] >= self.position]

    def read(self) -> None:
        """Read the next record."""
        offset, register, entry = self.unread()[0]
        self.position = offset + 1
        self.halt_coordinator.apply(register, entry, offset)

    def read_next(self, end: int = 0) -> None:
        """Read the next record, if there is one; behind the end that the log had at the start all is known."""
        if self.unread():
            self.read()
        if self.position >= end:
            self.halt_coordinator.synced.set()

    def catch_up(self) -> None:
        """Do all that is to be done."""
        while self.to_write or self.to_confirm or self.unread():
            while self.to_write:
                self.write()
            while self.to_confirm:
                self.confirm()
            while self.unread():
                self.read()


def new_halt_coordinator(
    log: Log, name: str = "worker", clock: Callable[[], float] = lambda: 0.0
) -> tuple[HaltCoordinator, LogView]:
    """Make a board and its view of the log, of which nothing was read."""
    view = LogView(log)
    view.halt_coordinator = HaltCoordinator(view, name, clock)
    return view.halt_coordinator, view


def catch_up(views: list[LogView]) -> None:
    """Let all workers write and read until nothing is left to be done."""
    while any(view.to_write or view.to_confirm or view.unread() for view in views):
        for view in views:
            view.catch_up()


@dataclass
class Letters:
    """Keeps dead letters of the topics that it wants; `trouble` makes the writing fail."""

    wanted: set[str] = field(default_factory=set)
    seconds: float = 0.0
    trouble: Exception | None = None
    kept: list[tuple[Delivery, Failure]] = field(default_factory=list)
    good: list[int] = field(default_factory=list)

    def accepts(self, delivery: Delivery) -> bool:
        """Tell whether messages of the topic are kept."""
        return delivery.topic in self.wanted

    def record_success(self, delivery: Delivery) -> None:
        """Note a message that was handled well."""
        self.good.append(delivery.offset)

    async def publish(self, delivery: Delivery, failure: Failure) -> None:
        """Keep the message."""
        await asyncio.sleep(self.seconds)
        if self.trouble is not None:
            raise self.trouble
        self.kept.append((delivery, failure))

    def offsets(self) -> list[int]:
        """Tell which messages were kept."""
        return [delivery.offset for delivery, _ in self.kept]


@dataclass
class Diary:
    """Notes what it is told of the messages."""

    running: int = 0
    most_running: int = 0
    succeeded: list[int] = field(default_factory=list)
    given_up: list[int] = field(default_factory=list)
    finished_offsets: list[int] = field(default_factory=list)
    about_offsets: list[int] = field(default_factory=list)

    @contextmanager
    def context(self, delivery: Delivery) -> Iterator[None]:
        """Note the message that all is about."""
        self.about_offsets.append(delivery.offset)
        yield

    def started(self, _delivery: Delivery) -> None:
        """Count it as in progress."""
        self.running += 1
        self.most_running = max(self.most_running, self.running)

    def failed_attempt(self, delivery: Delivery, error: Exception, attempts: int) -> None:
        """Nothing to note."""

    def exhausted(self, delivery: Delivery, _failure: Failure) -> None:
        """Note the message."""
        self.given_up.append(delivery.offset)

    def stopped(self, delivery: Delivery, *, succeeded: bool) -> None:
        """Count it as no more in progress, and as processed."""
        self.running -= 1
        if succeeded:
            self.succeeded.append(delivery.offset)

    def finished(self, delivery: Delivery, _seconds: float) -> None:
        """Note the message."""
        self.finished_offsets.append(delivery.offset)


@dataclass
class Act:
    """What the handler of a message does at each attempt: it takes so long, and fails so often before it succeeds."""

    seconds: float = 1.0
    failures: int = 0
    error: Callable[[], Exception] = lambda: ValueError("trouble")
    waits: float = 0.0
    began: list[float] = field(default_factory=list)
    ended: list[float] = field(default_factory=list)

    def steps(self) -> list[Step]:
        """Make the one step of the message; `waits` is spent as calls wait that give the message's slot away."""

        async def run() -> None:
            self.began.append(now())
            if self.waits:
                async with current_context().while_waiting("something"):
                    await asyncio.sleep(self.waits)
            await asyncio.sleep(self.seconds)
            if self.failures:
                self.failures -= 1
                raise self.error()
            self.ended.append(now())

        return [run]


def message(
    offset: int, act: Act | None = None, *, topic: str = TOPIC, partition: int = 0, key: bytes | None = None
) -> Delivery:
    """Make a message whose handler does as the act says."""
    place = Partition(topic, partition)
    origin = Origin(topic, partition, offset, timestamp_ms=1_600_000_000_000 + offset)
    return Delivery(topic, place, offset, key, origin, (act or Act()).steps, value=b"{}")
