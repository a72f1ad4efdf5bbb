# SPDX-License-Identifier: GPL-3.0-or-later
"""A consumer group in memory: topics, commits, and workers that come, go, crash and share the partitions anew."""

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
from tests.support.delivery_fakes import Diary, Letters, Log
from tests.support.delivery_worker import Worker

GRACE = 2.0
POLICY = DispatchPolicy(
    concurrency=2, max_in_flight=5, max_offset_lead=8, retry=RetryPolicy(max_attempts=2, backoff=0.5)
)


@dataclass
class Letter:
    """A message as it lies in the topic, and what happened to it so far.

    Its handler takes so long, and fails that many times in all before it succeeds; a permanent failure is not retried.
    """

    seconds: float = 0.0
    failures: int = 0
    permanent: bool = False
    key: bytes | None = None
    began: int = 0
    handled: list[int] = field(default_factory=list)
    finished: bool = False


@dataclass
class Group:
    """All that outlives a worker: the messages, the commits, the log of halts, and who has what."""

    messages: dict[Partition, list[Letter]]
    delay: Callable[[], float] = lambda: 0.0
    kept_topics: frozenset[str] = frozenset()
    log: Log = field(default_factory=Log)
    commits: dict[Partition, tuple[int, str]] = field(default_factory=dict)
    members: list["Member"] = field(default_factory=list)
    generation: int = 0
    #: Counts all assignments, also those that keep the generation.
    era: int = 0
    started: int = 0
    rebalancing: asyncio.Lock = field(default_factory=asyncio.Lock)
    #: What must not happen and did; an assertion in a handler would only count as a failed attempt.
    wrongs: list[str] = field(default_factory=list)

    def never(self, what: str, *, happened: bool, at: tuple[Partition, int]) -> None:
        """Note what must not happen."""
        if happened:
            self.wrongs.append(f"{what}: {at}")

    def committed(self, partition: Partition) -> CommitPosition:
        """Tell what was committed of a partition."""
        return decode(*self.commits.get(partition, (0, "")))

    def is_committed(self, partition: Partition, offset: int) -> bool:
        """Tell whether the message counts as done for whoever gets the partition next."""
        mark = self.committed(partition)
        return offset < mark.offset or offset in mark.finished

    def commit(self, member: "Member") -> None:
        """Take the commit of a worker that still has its partitions; nothing unfinished may be in it."""
        if member.is_gone or member.worker.generation != self.generation:
            return
        ledger = member.worker.dispatcher.ledger
        for partition, mark in ledger.committable().items():
            self.commits[partition] = mark.offset, encode(mark)
            ledger.record_commit(partition, mark)
            for offset, letter in enumerate(self.messages[partition]):
                passed = self.is_committed(partition, offset) and not letter.finished
                self.never("committed past an unfinished message", happened=passed, at=(partition, offset))

    async def join(self) -> None:
        """Start a worker."""
        self.started += 1
        self.members.append(Member(self, f"worker {self.started}"))
        await self.rebalance()

    async def leave(self, number: int) -> None:
        """Stop a worker as SIGTERM does; another one takes its place if it was the last one."""
        member = self.members.pop(number % len(self.members))
        await member.let_go()
        member.end()
        await (self.rebalance() if self.members else self.join())

    async def crash(self, number: int) -> None:
        """Kill a worker; the others notice after a while."""
        self.members.pop(number % len(self.members)).end()
        await asyncio.sleep(1)
        await (self.rebalance() if self.members else self.join())

    async def rejoin(self, number: int) -> None:
        """Let a worker lose and get its partitions again without a new generation, as a member that never left."""
        async with self.rebalancing:
            if not self.members:
                return
            member = self.members[number % len(self.members)]
            partitions = sorted(member.worker.dispatcher.ledger.assigned())
            await member.let_go()
            self.era += 1
            member.begin(partitions)

    async def rebalance(self) -> None:
        """Share the partitions among all workers anew."""
        async with self.rebalancing:
            members = list(self.members)
            await asyncio.gather(*(member.let_go() for member in members))
            self.generation += 1
            self.era += 1
            for number, member in enumerate(members):
                member.worker.generation = self.generation
                member.begin(sorted(self.messages)[number :: len(members)])

    def resume(self, topic: str, action: ResumeAction = ResumeAction.RETRY) -> None:
        """Resume a topic on the worker that was started last."""
        if self.members:
            self.members[-1].worker.resume(action, topic)


class GroupDiary(Diary):
    """Notes in the group which messages are finished."""

    def __init__(self, group: "Group") -> None:
        super().__init__()
        self._group = group

    def finished(self, delivery: Delivery, _seconds: float) -> None:
        """Note the message."""
        self._group.messages[delivery.partition][delivery.offset].finished = True


@dataclass
class Member:
    """A worker, its consumer that commits once a second, and a loop for each topic that feeds its dispatcher."""

    group: Group
    name: str
    is_gone: bool = False

    def __post_init__(self) -> None:
        self.letters = Letters(set(self.group.kept_topics), seconds=0.3)
        self.worker = Worker(
            POLICY, self.group.log, self.name, self.group.delay, self.letters, GroupDiary(self.group), partitions=()
        )
        self.inboxes: defaultdict[str, deque[tuple[int, Delivery]]] = defaultdict(deque)
        self.filled = asyncio.Event()
        topics = sorted({partition.topic for partition in self.group.messages})
        self.tasks = [asyncio.create_task(self.feed(topic)) for topic in topics]
        self.tasks.append(asyncio.create_task(self.commit_at_times()))

    async def feed(self, topic: str) -> None:
        """Hand over what comes of a topic, one message after the other."""
        while True:
            while self.inboxes[topic]:
                generation, delivery = self.inboxes[topic].popleft()
                await self.worker.dispatcher.submit(delivery, is_consuming=partial(self.is_of, generation))
            self.filled.clear()
            await self.filled.wait()

    def is_of(self, generation: int) -> bool:
        """Tell whether that is the generation of now."""
        return generation == self.worker.generation

    async def commit_at_times(self) -> None:
        """Commit once a second."""
        while True:
            await asyncio.sleep(1)
            self.group.commit(self)

    def begin(self, partitions: Sequence[Partition]) -> None:
        """Get partitions: go to what was committed of them."""
        self.worker.dispatcher.assign(partitions)
        for partition in partitions:
            mark = self.group.committed(partition)
            self.worker.dispatcher.ledger.restore(partition, mark)
            coming = range(mark.offset, len(self.group.messages[partition]))
            self.inboxes[partition.topic].extend(
                (self.worker.generation, self.delivery(partition, offset)) for offset in coming
            )
        self.filled.set()

    async def let_go(self) -> None:
        """Lose all partitions: what can be finished is, and is committed."""
        partitions = self.worker.dispatcher.ledger.assigned()
        await self.worker.dispatcher.drain(partitions, GRACE)
        self.group.commit(self)
        self.worker.dispatcher.revoke(partitions)
        for inbox in self.inboxes.values():
            inbox.clear()

    def end(self) -> None:
        """Be gone, whatever was under way."""
        self.is_gone = self.worker.view.is_closed = True
        for task in (*self.tasks, *self.worker.dispatcher._in_flight.by_task(self.group.messages)):
            task.cancel()

    def delivery(self, partition: Partition, offset: int) -> Delivery:
        """Make the delivery of a message."""
        letter = self.group.messages[partition][offset]
        origin = Origin(*partition, offset, 1_600_000_000_000 + offset)
        return Delivery(
            partition.topic,
            partition,
            offset,
            letter.key,
            origin,
            self.steps(partition, offset),
            epoch=self.worker.dispatcher.ledger.epoch(partition),
        )

    def steps(self, partition: Partition, offset: int) -> Callable[[], Sequence[Step]]:
        """Make what the handler does."""
        group, letter = self.group, self.group.messages[partition][offset]
        era = group.era

        async def handle() -> None:
            again = group.is_committed(partition, offset)
            group.never("done again, though it was committed", happened=again, at=(partition, offset))
            overtaken = letter.key and any(
                other.key == letter.key and not other.handled and not other.finished
                for other in group.messages[partition][:offset]
            )
            group.never("overtook one of its key", happened=bool(overtaken), at=(partition, offset))
            letter.began += 1
            await asyncio.sleep(letter.seconds)
            if letter.failures:
                letter.failures -= 1
                raise PermanentError("wrong") if letter.permanent else ValueError("trouble")
            twice = era in letter.handled
            group.never("handled twice without anything in between", happened=twice, at=(partition, offset))
            letter.handled.append(era)

        return lambda: [handle]
