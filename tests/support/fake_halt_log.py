# SPDX-License-Identifier: GPL-3.0-or-later
"""The halt log in memory: workers write it, have their writes confirmed, and read it, each step on its own."""

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from investigator.delivery.halt_coordinator import HaltCoordinator
from investigator.delivery.halts import HaltKey, HaltRecord, LogEntry, ResumeAction

LoggedRecord = tuple[int, HaltKey, LogEntry]


@dataclass
class FakeHaltLog:
    """The halt log that all workers share."""

    records: list[LoggedRecord] = field(default_factory=list)
    clients: "list[HaltLogClient]" = field(default_factory=list)

    def append(self, key: HaltKey, record: LogEntry) -> int:
        """Append a record and return its offset."""
        offset = self.end()
        self.records.append((offset, key, record))
        for client in self.clients:
            client.schedule(client.read_next)
        return offset

    def end(self) -> int:
        """Return the offset of the next record."""
        return self.records[-1][0] + 1 if self.records else 0

    def actions(self, key: HaltKey) -> set[ResumeAction]:
        """Return all decisions about a message that were ever written."""
        entries = (entry for _, each, entry in self.records if each == key)
        return {entry.action for entry in entries if isinstance(entry, HaltRecord) and entry.action is not None}

    def compact(self, read_by_all: int) -> None:
        """Retain the last record of each key; tombstones stay until all have read them, as on a broker."""
        last = {key: offset for offset, key, _ in self.records}
        self.records = [
            (offset, key, entry)
            for offset, key, entry in self.records
            if offset == self.end() - 1
            or (offset == last[key] and (isinstance(entry, HaltRecord) or offset >= read_by_all))
        ]


@dataclass
class HaltLogClient:
    """One worker's client of the log: each step is taken by the test, or, with a `delay`, by itself after it."""

    log: FakeHaltLog
    delay: Callable[[], float] | None = None
    halt_coordinator: HaltCoordinator = field(init=False)
    position: int = 0
    to_write: deque[tuple[HaltKey, LogEntry, Callable[[int], None]]] = field(default_factory=deque)
    to_confirm: list[tuple[Callable[[int], None], int]] = field(default_factory=list)
    is_closed: bool = False

    def start(self) -> None:
        """Begin to take all steps by itself."""
        self.log.clients.append(self)
        end = self.log.end()
        for _ in self.unread():
            self.schedule(lambda: self.read_next(end))
        self.schedule(lambda: self.read_next(end))

    def schedule(self, step: Callable[[], object]) -> None:
        """Take a step after a delay, unless the test takes the steps."""
        if self.delay is not None:
            asyncio.get_running_loop().call_later(self.delay(), lambda: self.is_closed or step())

    def publish(self, key: HaltKey, record: LogEntry, on_written: Callable[[int], None]) -> None:
        """Queue a record for writing."""
        self.to_write.append((key, record, on_written))
        self.schedule(self.write)

    def write(self) -> None:
        """Write the next record, without a confirmation."""
        key, record, on_written = self.to_write.popleft()
        self.to_confirm.append((on_written, self.log.append(key, record)))
        self.schedule(self.confirm)

    def confirm(self, number: int = 0) -> None:
        """Confirm one of the written records, in any order."""
        on_written, offset = self.to_confirm.pop(number)
        on_written(offset)

    def unread(self) -> list[LoggedRecord]:
        """Return the written records that this worker has not read."""
        return [logged for logged in self.log.records if logged[0] >= self.position]

    def read(self) -> None:
        """Read the next record."""
        offset, key, record = self.unread()[0]
        self.position = offset + 1
        self.halt_coordinator.apply(key, record, offset)

    def read_next(self, end: int = 0) -> None:
        """Read the next record, if any; at the end that the log had at the start, the coordinator is synced."""
        if self.unread():
            self.read()
        if self.position >= end:
            self.halt_coordinator.synced.set()

    def catch_up(self) -> None:
        """Take all steps that are left."""
        while self.to_write or self.to_confirm or self.unread():
            while self.to_write:
                self.write()
            while self.to_confirm:
                self.confirm()
            while self.unread():
                self.read()


def make_coordinator(
    log: FakeHaltLog, name: str = "worker", clock: Callable[[], float] = lambda: 0.0
) -> tuple[HaltCoordinator, HaltLogClient]:
    """Return a coordinator that has read nothing, and its client of the log."""
    client = HaltLogClient(log)
    client.halt_coordinator = HaltCoordinator(client, name, clock)
    return client.halt_coordinator, client


def catch_up(clients: list[HaltLogClient]) -> None:
    """Take all steps of all workers until none is left."""
    while any(client.to_write or client.to_confirm or client.unread() for client in clients):
        for client in clients:
            client.catch_up()
