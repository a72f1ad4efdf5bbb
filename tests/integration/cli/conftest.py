# SPDX-License-Identifier: GPL-3.0-or-later
"""A command line that uses the sandbox's broker, and helpers that write dead letters for it."""

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
    "THOTH_INVESTIGATOR_REPLAY_KEY": "a replay key with at least 32 characters",
}


@dataclass(frozen=True)
class FailureDetails:
    """The details of a failure that the headers of a dead letter state."""

    error: Exception = field(default_factory=lambda: PermanentError("no such project"))
    group: str = ENVIRONMENT["KAFKA_CONSUMER_GROUP_ID"]
    key: bytes | None = None
    headers: Headers = ()
    attempts: int = 5


class CommandLine:
    """Runs commands against a broker for a separate deployment, and writes its topics."""

    def __init__(self, broker: Broker, kafka: KafkaClient, deployment: str) -> None:
        self.kafka = kafka
        self.topic = f"{deployment}.{BASE_NAME}"
        self.dead_letter_topic = f"{self.topic}-dlt"
        self.halts_topic = f"{deployment}.thoth.investigator.halts"
        self._variables = {
            **ENVIRONMENT,
            "KAFKA_BOOTSTRAP_SERVERS": broker.bootstrap_servers,
            "THOTH_DEPLOYMENT_NAME": deployment,
            "THOTH_INVESTIGATOR_PRODUCER_IDEMPOTENCE": "1" if broker.idempotent else "0",
            "THOTH_INVESTIGATOR_READ_IDLE_TIME": str(broker.read_idle_time),
        }

    async def __call__(self, *arguments: object, status: int = 0, **variables: str) -> str:
        """Run a command with these variables; return its output after checking its exit status."""
        result = await asyncio.to_thread(self._run, [str(each) for each in arguments], variables)
        assert result.exit_code == status, result.output
        return result.output

    async def halt_over(self, failed: FailedMessage) -> None:
        """Halt the topic because of a failed message, as a worker does."""
        async with self._operations({}).halt_coordinator() as coordinator:
            written = asyncio.Event()
            coordinator.halt(BASE_NAME, cause=failed, on_written=written.set)
            await written.wait()

    def _operations(self, variables: dict[str, str]) -> Operations:
        settings = load_settings({**self._variables, **variables})
        return Operations(settings, MESSAGE_TYPES, Redactor(settings.secrets()))

    def _run(self, arguments: list[str], variables: dict[str, str]) -> Result:
        program = click.Group()
        add_commands(program, self._operations(variables))
        return CliRunner(env={"COLUMNS": "1000"}).invoke(program, arguments, catch_exceptions=False)

    async def add_dead_letter(
        self, value: Value, details: FailureDetails | None = None, *, partition: int = 0
    ) -> Origin:
        """Send a message and its dead letter, as a worker would write it; return the origin of the message."""
        details = details or FailureDetails()
        sent = await self.kafka.send(self.topic, value, key=details.key, partition=partition, headers=details.headers)
        origin = Origin(self.topic, partition, sent.offset, sent.timestamp)
        await self.add_dead_letter_of(origin, value, details)
        return origin

    async def add_dead_letter_of(self, origin: Origin, value: Value, details: FailureDetails | None = None) -> None:
        """Write the dead letter of a message with that origin, whether or not the message still exists."""
        details = details or FailureDetails()
        delivery = Delivery(
            topic=BASE_NAME,
            partition=Partition(origin.topic, origin.partition),
            offset=origin.offset,
            key=details.key,
            origin=origin,
            make_steps=list,
            headers=details.headers,
        )
        headers = dead_letter_headers(delivery, Failure(details.error, details.attempts), details.group)
        await self.kafka.send(
            f"{origin.topic}-dlt", value, key=details.key, partition=origin.partition, headers=headers
        )

    async def replays(self, count: int) -> list[ConsumerRecord]:
        """Read the topic from its start; return its replays, of which there must be exactly `count`."""
        records = await self.kafka.read(self.topic, 10_000, timeout=1)
        replays = [record for record in records if "investigator-replays" in dict(record.headers)]
        assert len(replays) == count
        return replays

    async def topics(self) -> list[str]:
        """Return the names of all topics."""
        async with self._admin() as admin:
            return await admin.list_topics()  # type: ignore[no-any-return]  # aiokafka has no types

    async def recreate(self, topic: str) -> None:
        """Delete a topic and create it again."""
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
    """The command line of a deployment whose topics are empty and have two partitions."""
    async with KafkaClient(broker.bootstrap_servers) as kafka:
        line = CommandLine(broker, kafka, deployment)
        await broker.create_topics([line.topic, line.dead_letter_topic], partitions=2)
        yield line
