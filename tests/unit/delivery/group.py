# SPDX-License-Identifier: GPL-3.0-or-later
"""A consumer group in memory: topics, commits, and workers that join, leave, crash and rebalance the partitions."""

import asyncio
from collections import defaultdict, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial

from investigator.delivery.commit_metadata import decode, encode
from investigator.delivery.errors import PermanentError
from investigator.delivery.halts import ResumeAction
from investigator.delivery.ledger import CommitPosition, Partition
from investigator.delivery.messages import Delivery
from investigator.delivery.origin import Origin
from investigator.delivery.policy import DispatchPolicy, RetryPolicy
from investigator.delivery.retry import Step
from tests.support.delivery_fakes import FakeDeadLetters
from tests.support.delivery_worker import Worker
from tests.support.fake_halt_log import FakeHaltLog
from tests.unit.delivery.group_observer import GroupObserver

GRACE = 2.0
POLICY = DispatchPolicy(
    concurrency=2, max_in_flight=5, max_offset_lead=8, retry=RetryPolicy(max_attempts=2, backoff=0.5)
)


@dataclass
class StoredMessage:
    """A message in its topic, and what happened to it so far.

    Each attempt of its handler takes `seconds`. `failures` attempts fail in all before one succeeds; a permanent
    failure is not retried. `handled` has the assignment number of each success.
    """

    seconds: float = 0.0
    failures: int = 0
    permanent: bool = False
    key: bytes | None = None
    attempts: int = 0
    handled: list[int] = field(default_factory=list)
    finished: bool = False


@dataclass
class Group:
    """Everything that outlives a worker: the messages, the commits, the halt log, and the members."""

    messages: dict[Partition, list[StoredMessage]]
    delay: Callable[[], float] = lambda: 0.0
    dead_letter_topics: frozenset[str] = frozenset()
    log: FakeHaltLog = field(default_factory=FakeHaltLog)
    commits: dict[Partition, tuple[int, str]] = field(default_factory=dict)
    members: list["Member"] = field(default_factory=list)
    generation: int = 0
    #: Counts all assignments, also those that do not change the generation.
    assignments: int = 0
    started: int = 0
    rebalancing: asyncio.Lock = field(default_factory=asyncio.Lock)
    #: Broken guarantees; an assertion in a handler would only count as a failed attempt.
    violations: list[str] = field(default_factory=list)

    def never(self, what: str, *, happened: bool, at: tuple[Partition, int]) -> None:
        """Record a broken guarantee."""
        if happened:
            self.violations.append(f"{what}: {at}")

    def committed(self, partition: Partition) -> CommitPosition:
        """Return the last commit of a partition."""
        return decode(*self.commits.get(partition, (0, "")))

    def is_committed(self, partition: Partition, offset: int) -> bool:
        """Return whether the next owner of the partition will take the message for finished."""
        position = self.committed(partition)
        return offset < position.offset or offset in position.finished

    def commit(self, member: "Member") -> None:
        """Commit for a worker that still has its partitions; no unfinished message may be in the commit."""
        if member.is_gone or member.worker.generation != self.generation:
            return
        ledger = member.worker.dispatcher.ledger
        for partition, position in ledger.committable().items():
            self.commits[partition] = position.offset, encode(position)
            ledger.record_commit(partition, position)
            for offset, stored in enumerate(self.messages[partition]):
                passed = self.is_committed(partition, offset) and not stored.finished
                self.never("committed past an unfinished message", happened=passed, at=(partition, offset))

    async def join(self) -> None:
        """Start a worker."""
        self.started += 1
        self.members.append(Member(self, f"worker {self.started}"))
        await self.rebalance()

    async def leave(self, number: int) -> None:
        """Stop a worker as SIGTERM does; start another one if it was the last one."""
        member = self.members.pop(number % len(self.members))
        await member.release()
        member.end()
        await (self.rebalance() if self.members else self.join())

    async def crash(self, number: int) -> None:
        """Kill a worker; the others notice a second later."""
        self.members.pop(number % len(self.members)).end()
        await asyncio.sleep(1)
        await (self.rebalance() if self.members else self.join())

    async def rejoin(self, number: int) -> None:
        """Take a worker's partitions and return them without a new generation, as for a member that never left."""
        async with self.rebalancing:
            if not self.members:
                return
            member = self.members[number % len(self.members)]
            partitions = sorted(member.worker.dispatcher.ledger.assigned())
            await member.release()
            self.assignments += 1
            member.begin(partitions)

    async def rebalance(self) -> None:
        """Assign the partitions to all workers."""
        async with self.rebalancing:
            members = list(self.members)
            await asyncio.gather(*(member.release() for member in members))
            self.generation += 1
            self.assignments += 1
            for number, member in enumerate(members):
                member.worker.generation = self.generation
                member.begin(sorted(self.messages)[number :: len(members)])

    def resume(self, topic: str, action: ResumeAction = ResumeAction.RETRY) -> None:
        """Resume a topic on the worker that was started last."""
        if self.members:
            self.members[-1].worker.resume(action, topic)


@dataclass
class Member:
    """A worker of the group: it commits once a second, and one loop for each topic submits messages."""

    group: Group
    name: str
    is_gone: bool = False

    def __post_init__(self) -> None:
        self.dead_letters = FakeDeadLetters(set(self.group.dead_letter_topics), seconds=0.3)
        observer = GroupObserver(self.group, self.dead_letters)
        self.worker = Worker(
            POLICY,
            self.group.log,
            self.name,
            self.group.delay,
            self.dead_letters,
            observer,
            partitions=(),
        )
        observer.halt_coordinator = self.worker.halt_coordinator
        self.buffers: defaultdict[str, deque[tuple[int, Delivery]]] = defaultdict(deque)
        self.filled = asyncio.Event()
        topics = sorted({partition.topic for partition in self.group.messages})
        self.tasks = [asyncio.create_task(self.submit_all(topic)) for topic in topics]
        self.tasks.append(asyncio.create_task(self.commit_regularly()))

    async def submit_all(self, topic: str) -> None:
        """Submit the buffered messages of a topic, one after the other."""
        while True:
            while self.buffers[topic]:
                generation, delivery = self.buffers[topic].popleft()
                is_consuming = partial(self.worker.is_consuming, generation)
                await self.worker.dispatcher.submit(delivery, is_consuming=is_consuming)
            self.filled.clear()
            await self.filled.wait()

    async def commit_regularly(self) -> None:
        """Commit once a second."""
        while True:
            await asyncio.sleep(1)
            self.group.commit(self)

    def begin(self, partitions: Sequence[Partition]) -> None:
        """Start to consume partitions from their committed offsets on."""
        self.worker.dispatcher.assign(partitions)
        for partition in partitions:
            position = self.group.committed(partition)
            self.worker.dispatcher.ledger.restore(partition, position)
            self.buffers[partition.topic].extend(
                (self.worker.generation, self.fetched(partition, offset))
                for offset in range(position.offset, len(self.group.messages[partition]))
            )
        self.filled.set()

    async def release(self) -> None:
        """Lose all partitions: drain them, and commit what finished."""
        partitions = self.worker.dispatcher.ledger.assigned()
        await self.worker.dispatcher.drain(partitions, GRACE)
        self.group.commit(self)
        self.worker.dispatcher.revoke(partitions)
        for buffered in self.buffers.values():
            buffered.clear()

    def end(self) -> None:
        """End at once, as a killed process."""
        self.is_gone = self.worker.log_client.is_closed = True
        for task in (*self.tasks, *self.worker.dispatcher._in_flight.by_task(self.group.messages)):
            task.cancel()

    def fetched(self, partition: Partition, offset: int) -> Delivery:
        """Return the delivery of a message, in the present epoch."""
        key = self.group.messages[partition][offset].key
        origin = Origin(*partition, offset, 1_600_000_000_000 + offset)
        make_steps = partial(self.steps, partition, offset, self.group.assignments)
        return self.worker.fetched(Delivery(partition.topic, partition, offset, key, origin, make_steps))

    def steps(self, partition: Partition, offset: int, assignment: int) -> Sequence[Step]:
        """Return the one step of a message that was fetched in that assignment."""
        return [partial(self.handle, partition, offset, assignment)]

    async def handle(self, partition: Partition, offset: int, assignment: int) -> None:
        """Handle a message, and record broken guarantees."""
        group, stored = self.group, self.group.messages[partition][offset]
        again = group.is_committed(partition, offset)
        group.never("processed after it was committed", happened=again, at=(partition, offset))
        overtaken = stored.key and any(
            other.key == stored.key and not other.handled and not other.finished
            for other in group.messages[partition][:offset]
        )
        group.never("overtook a message with its key", happened=bool(overtaken), at=(partition, offset))
        stored.attempts += 1
        await asyncio.sleep(stored.seconds)
        if stored.failures:
            stored.failures -= 1
            raise PermanentError("invalid") if stored.permanent else ValueError("trouble")
        twice = assignment in stored.handled
        group.never("handled twice in one assignment", happened=twice, at=(partition, offset))
        stored.handled.append(assignment)
