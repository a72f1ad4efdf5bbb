# SPDX-License-Identifier: GPL-3.0-or-later
"""A worker for tests: a dispatcher with its halt coordinator, fed as by Faust's agents, one loop for each topic."""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

from investigator.delivery.dispatcher import Dispatcher
from investigator.delivery.halt_coordinator import HaltCoordinator
from investigator.delivery.halts import ResumeAction
from investigator.delivery.ledger import Partition
from investigator.delivery.messages import Delivery
from investigator.delivery.policy import DispatchPolicy, RetryPolicy
from tests.support.delivery_fakes import (
    OTHER_TOPIC,
    TOPIC,
    FakeDeadLetters,
    HandlerScript,
    RecordingObserver,
    message,
)
from tests.support.fake_halt_log import FakeHaltLog, HaltLogClient

ZERO, ONE, OTHER = PARTITIONS = (Partition(TOPIC, 0), Partition(TOPIC, 1), Partition(OTHER_TOPIC, 0))

# Three attempts, with pauses of one and two seconds.
POLICY = DispatchPolicy(
    concurrency=4, max_in_flight=10, max_offset_lead=50, retry=RetryPolicy(max_attempts=3, backoff=1)
)


@dataclass
class Worker:
    """The delivery part of one worker of a group."""

    policy: DispatchPolicy = POLICY
    log: FakeHaltLog = field(default_factory=FakeHaltLog)
    name: str = "worker"
    delay: Callable[[], float] = lambda: 0.0
    dead_letters: FakeDeadLetters = field(default_factory=FakeDeadLetters)
    observer: RecordingObserver = field(default_factory=RecordingObserver)
    redact: Callable[[str], str] = str
    generation: int = 1
    partitions: Sequence[Partition] = PARTITIONS

    def __post_init__(self) -> None:
        self.log_client = HaltLogClient(self.log, self.delay)
        self.log_client.halt_coordinator = self.halt_coordinator = HaltCoordinator(
            self.log_client, self.name, asyncio.get_running_loop().time
        )
        self.dispatcher = Dispatcher(self.policy, self.halt_coordinator, self.dead_letters, self.observer, self.redact)
        self.log_client.start()
        self.dispatcher.assign(self.partitions)

    def submit(self, deliveries: Iterable[Delivery]) -> "asyncio.Task[None]":
        """Submit messages one after the other, as the agent of a topic does; fetch those that were not before."""
        return asyncio.create_task(self._submit(deliveries, self.generation))

    async def _submit(self, deliveries: Iterable[Delivery], generation: int) -> None:
        for delivery in deliveries:
            fetched = delivery if delivery.epoch is not None else self.fetched(delivery)
            await self.dispatcher.submit(fetched, is_consuming=partial(self.is_consuming, generation))

    def is_consuming(self, generation: int) -> bool:
        """Return whether that is the present generation of the group."""
        return generation == self.generation

    def fetched(self, delivery: Delivery) -> Delivery:
        """Return the message as the consumer fetches it now: in the present epoch of its partition."""
        return replace(delivery, epoch=self.dispatcher.ledger.epoch(delivery.partition))

    def receive(
        self, *scripts: HandlerScript, topic: str = TOPIC, partition: int = 0, keys: Sequence[bytes | None] = ()
    ) -> None:
        """Submit one message for each script, from offset 0 on."""
        key_of = dict(enumerate(keys))
        self.submit(
            message(offset, script, topic=topic, partition=partition, key=key_of.get(offset))
            for offset, script in enumerate(scripts)
        )

    def resume(self, action: ResumeAction = ResumeAction.RETRY, topic: str = TOPIC) -> None:
        """Resume a topic."""
        self.halt_coordinator.resume(topic, by="operator", action=action)

    def commit(self) -> None:
        """Commit what is finished, as the consumer does once a second."""
        for partition, position in self.dispatcher.ledger.committable().items():
            self.dispatcher.ledger.record_commit(partition, position)

    def commit_offset(self, partition: Partition = ZERO) -> int | None:
        """Return the offset to commit."""
        return self.dispatcher.ledger.commit_offset(partition)

    def waiting_for(self) -> dict[int, str]:
        """Return what each message in flight waits for."""
        return {each.delivery.offset: each.waits_for for each in self.dispatcher.in_flight()}


async def run_until(time: float) -> None:
    """Let everything run up to that time, and a little longer."""
    await asyncio.sleep(time - asyncio.get_running_loop().time() + 0.001)


def start_times(*scripts: HandlerScript) -> list[list[float]]:
    """Return when the attempts of each message started, to the tenth of a second."""
    return [[round(time, 1) for time in script.started] for script in scripts]


def end_times(*scripts: HandlerScript) -> list[list[float]]:
    """Return when each message succeeded, to the tenth of a second."""
    return [[round(time, 1) for time in script.ended] for script in scripts]
