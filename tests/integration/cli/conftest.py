# SPDX-License-Identifier: GPL-3.0-or-later
"""A command line on the embedded broker, and dead letters for it."""

import asyncio
import importlib
import pkgutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import click
import pytest
from aiokafka import ConsumerRecord
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from click.testing import CliRunner, Result

import agents
from investigator.agent import MESSAGE_TYPES
from investigator.cli import add_commands
from investigator.delivery.dead_letters import Headers, dead_letter_headers
from investigator.delivery.errors import PermanentError
from investigator.delivery.halts import FailedMessage
from investigator.delivery.ledger import Partition
from investigator.delivery.messages import Delivery
from investigator.delivery.origin import Origin
from investigator.delivery.retry import Failure
from investigator.observability.redaction import Redactor
from investigator.operations import Operations
from investigator.settings import load_settings
from sandbox.broker import Broker
from sandbox.kafka_client import KafkaClient, Value

for module in pkgutil.iter_modules(agents.__path__, "agents."):
    importlib.import_module(module.name)

BASE_NAME = "thoth.repo-init"
ENVIRONMENT = {
    "KAFKA_CONSUMER_GROUP_ID": "investigator-backend",
    "THOTH_BACKEND_NAMESPACE": "backend",
    "THOTH_MIDDLETIER_NAMESPACE": "middletier",
    "THOTH_INFRA_NAMESPACE": "infra",
    "THOTH_CEPH_BUCKET_PREFIX": "data",
    "THOTH_CEPH_BUCKET": "thoth",
    "THOTH_S3_ENDPOINT_URL": "https://s3.example.com",
}


@dataclass(frozen=True)
class Told:
    """What a dead letter is to tell; its own content is its number by default."""

    error: Exception = field(default_factory=lambda: PermanentError("no such project"))
    group: str = ENVIRONMENT["KAFKA_CONSUMER_GROUP_ID"]
    key: bytes | None = None
    headers: Headers = ()
    attempts: int = 5


class CommandLine:
    """Runs commands against a broker, as a deployment of its own, and has the topics that they are about."""

    def __init__(self, broker: Broker, kafka: KafkaClient, deployment: str) -> None:
        self.kafka = kafka
        self.topic = f"{deployment}.{BASE_NAME}"
        self.twin = f"{self.topic}-dlt"
        self._variables = {
            **ENVIRONMENT,
            "KAFKA_BOOTSTRAP_SERVERS": broker.bootstrap_servers,
            "THOTH_DEPLOYMENT_NAME": deployment,
            "THOTH_INVESTIGATOR_PRODUCER_IDEMPOTENCE": "1" if broker.idempotent else "0",
            "THOTH_INVESTIGATOR_READ_IDLE_TIME": str(broker.read_idle_time),
        }

    async def __call__(self, *arguments: object, status: int = 0, **variables: str) -> str:
        """Run a command with that environment; gives what it prints once its exit status is as expected."""
        result = await asyncio.to_thread(self._run, [str(each) for each in arguments], variables)
        assert result.exit_code == status, result.output
        return result.output

    async def give_up(self, cause: FailedMessage) -> None:
        """Halt the topic over a message, as a worker does."""
        async with self._operations({}).halt_coordinator() as halt_coordinator:
            written = asyncio.Event()
            halt_coordinator.halt(BASE_NAME, cause=cause, on_written=written.set)
            await written.wait()

    def _operations(self, variables: dict[str, str]) -> Operations:
        settings = load_settings({**self._variables, **variables})
        return Operations(settings, MESSAGE_TYPES, Redactor(settings.secrets()))

    def _run(self, arguments: list[str], variables: dict[str, str]) -> Result:
        program = click.Group()
        add_commands(program, self._operations(variables))
        return CliRunner().invoke(program, arguments, catch_exceptions=False)

    async def bury(self, value: Value, told: Told | None = None, *, partition: int = 0) -> Origin:
        """Send a message, and the dead letter that a worker would make of it; gives where the message lies."""
        told = told or Told()
        sent = await self.kafka.send(self.topic, value, key=told.key, partition=partition, headers=told.headers)
        place = Origin(self.topic, partition, sent.offset, sent.timestamp)
        await self.bury_at(place, value, told)
        return place

    async def bury_at(self, place: Origin, value: Value, told: Told | None = None) -> None:
        """Write the dead letter of a message that lies, or lay, at that place."""
        told = told or Told()
        delivery = Delivery(
            topic=BASE_NAME,
            partition=Partition(place.topic, place.partition),
            offset=place.offset,
            key=told.key,
            origin=place,
            steps=list,
            headers=told.headers,
        )
        headers = dead_letter_headers(delivery, Failure(told.error, told.attempts), told.group)
        await self.kafka.send(f"{place.topic}-dlt", value, key=told.key, partition=place.partition, headers=headers)

    async def sent_again(self, count: int) -> list[ConsumerRecord]:
        """Read the topic from its start; gives the replays in it, of which there must be so many, and no more."""
        records = await self.kafka.read(self.topic, 10_000, timeout=1)
        replays = [record for record in records if "investigator-replays" in dict(record.headers)]
        assert len(replays) == count
        return replays

    async def topics(self) -> list[str]:
        """Tell which topics there are."""
        async with self._admin() as admin:
            return await admin.list_topics()  # type: ignore[no-any-return]  # aiokafka has no types

    async def make_anew(self, topic: str) -> None:
        """Delete a topic and create it."""
        async with self._admin() as admin:
            await admin.delete_topics([topic])
            await admin.create_topics([NewTopic(topic, 2, 1)])

    @asynccontextmanager
    async def _admin(self) -> AsyncIterator[AIOKafkaAdminClient]:
        admin = AIOKafkaAdminClient(bootstrap_servers=self._variables["KAFKA_BOOTSTRAP_SERVERS"])
        await admin.start()
        try:
            yield admin
        finally:
            await admin.close()


@pytest.fixture
async def command_line(broker: Broker, deployment: str) -> AsyncIterator[CommandLine]:
    """A deployment whose topics have two partitions, with nothing in them yet."""
    async with KafkaClient(broker.bootstrap_servers) as kafka:
        line = CommandLine(broker, kafka, deployment)
        await broker.create_topics([line.topic, line.twin], partitions=2)
        yield line
