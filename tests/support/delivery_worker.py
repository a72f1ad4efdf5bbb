# SPDX-License-Identifier: GPL-3.0-or-later
"""A worker for tests: a dispatcher with its board, fed as Faust's agents would, one loop a topic."""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace

from investigator.delivery.dispatcher import Dispatcher
from investigator.delivery.halt_coordinator import HaltCoordinator
from investigator.delivery.halts import ResumeAction
from investigator.delivery.ledger import Partition
from investigator.delivery.messages import Delivery
from investigator.delivery.policy import DispatchPolicy, RetryPolicy
from tests.support.delivery_fakes import OTHER_TOPIC, TOPIC, Act, Diary, Letters, Log, LogView, message

ZERO, ONE, OTHER = PARTITIONS = (Partition(TOPIC, 0), Partition(TOPIC, 1), Partition(OTHER_TOPIC, 0))

# Three attempts, with pauses of one and two seconds.
POLICY = DispatchPolicy(
    concurrency=4, max_in_flight=10, max_offset_lead=50, retry=RetryPolicy(max_attempts=3, backoff=1)
)


@dataclass
class Worker:
    """What one process of the group holds."""

    policy: DispatchPolicy = POLICY
    log: Log = field(default_factory=Log)
    name: str = "worker"
    delay: Callable[[], float] = lambda: 0.0
    letters: Letters = field(default_factory=Letters)
    diary: Diary = field(default_factory=Diary)
    redact: Callable[[str], str] = str
    generation: int = 1
    partitions: Sequence[Partition] = PARTITIONS

    def __post_init__(self) -> None:
        self.view = LogView(self.log, self.delay)
        self.view.halt_coordinator = self.halt_coordinator = HaltCoordinator(
            self.view, self.name, asyncio.get_running_loop().time
        )
        self.dispatcher = Dispatcher(self.policy, self.halt_coordinator, self.letters, self.diary, self.redact)
        self.view.start()
        self.dispatcher.assign(self.partitions)

    def offer(self, deliveries: Iterable[Delivery]) -> "asyncio.Task[None]":
        """Hand over messages one after the other, as the loop of a topic does."""
        generation = self.generation

        async def feed() -> None:
            for delivery in deliveries:
                fetched = delivery if delivery.epoch is not None else self.fetched(delivery)
                await self.dispatcher.submit(fetched, is_consuming=lambda: generation == self.generation)

        return asyncio.create_task(feed())

    def fetched(self, delivery: Delivery) -> Delivery:
        """Return the message as the consumer fetches it now: in the epoch that its partition has."""
        return replace(delivery, epoch=self.dispatcher.ledger.epoch(delivery.partition))

    def play(self, *acts: Act, topic: str = TOPIC, partition: int = 0, keys: Sequence[bytes | None] = ()) -> None:
        """Offer messages of these acts, from offset 0 on."""
        key_of = dict(enumerate(keys))
        self.offer(
            message(offset, act, topic=topic, partition=partition, key=key_of.get(offset))
            for offset, act in enumerate(acts)
        )

    def resume(self, action: ResumeAction = ResumeAction.RETRY, topic: str = TOPIC) -> None:
        """Resume a topic."""
        self.halt_coordinator.resume(topic, by="operator", action=action)

    def position(self, partition: Partition = ZERO) -> int | None:
        """Tell what would be committed."""
        return self.dispatcher.ledger.commit_offset(partition)

    def waits(self) -> dict[int, str]:
        """Tell what the messages in hand wait for."""
        return {each.delivery.offset: each.waits_for for each in self.dispatcher.in_flight()}


async def until(time: float) -> None:
    """Let everything run up to that time, and a little longer."""
    await asyncio.sleep(time - asyncio.get_running_loop().time() + 0.001)


def begins(*acts: Act) -> list[list[float]]:
    """Tell when the attempts of each message began, to the tenth of a second."""
    return [[round(time, 1) for time in act.began] for act in acts]


def ends(*acts: Act) -> list[list[float]]:
    """Tell when each message was handled to its end, to the tenth of a second."""
    return [[round(time, 1) for time in act.ended] for act in acts]
