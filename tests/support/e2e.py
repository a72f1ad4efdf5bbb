# SPDX-License-Identifier: GPL-3.0-or-later
"""What one sees and does from outside: Kafka, the web pages of a worker, and waiting until something is so."""

import json
import urllib.error
import urllib.request
from collections.abc import Callable, Iterable, Mapping
from types import TracebackType
from typing import Any

from aiokafka import ConsumerRecord
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.structs import RecordMetadata
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.samples import Sample
from typing_extensions import Self, Unpack

from sandbox.background import BackgroundLoop
from sandbox.broker import Broker
from sandbox.kafka_client import Extras, KafkaClient, Value
from sandbox.processes import eventually
from sandbox.worker import Worker

COMMON = {"component_name": "tester", "service_version": "1.0.0"}


def message(fields: Mapping[str, object] | None = None, /, **more: object) -> dict[str, object]:
    """Give a message with these fields and those that every message has, but without a version."""
    return {**COMMON, **(fields or {}), **more}


def wait_until(check: Callable[[], object], what: str, timeout: float = 60.0) -> None:
    """Wait until the check gives something true; raises AssertionError, which says what did not come."""
    assert eventually(check, timeout, 0.05), f"not within {timeout:g} s: {what}"


class Kafka:
    """The sandbox's client without the waiting for coroutines; a context manager that connects and disconnects."""

    def __init__(self, bootstrap_servers: str) -> None:
        self._background = BackgroundLoop("kafka")
        self._client = KafkaClient(bootstrap_servers)
        self._servers = bootstrap_servers

    def __enter__(self) -> Self:
        """Connect."""
        self._background.run(self._client.__aenter__())
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Disconnect."""
        self._background.run(self._client.__aexit__(None, None, None))
        self._background.stop()

    def create_topics(self, broker: Broker, names: Iterable[str], partitions: int = 1) -> None:
        """Create topics with that many partitions, where they are missing."""
        self._background.run(broker.create_topics(names, partitions))

    def send(self, topic: str, value: Value, **extras: Unpack[Extras]) -> RecordMetadata:
        """Send one message; gives its place."""
        return self._background.run(self._client.send(topic, value, **extras), timeout=60)

    def send_all(self, topic: str, values: Iterable[Value], *, partition: int | None = None) -> None:
        """Send messages as fast as the broker takes them."""
        self._background.run(self._client.send_all(topic, values, partition=partition), timeout=60)

    def read(self, topic: str, count: int, timeout: float = 20.0) -> list[ConsumerRecord]:
        """Read the first `count` messages of a topic; gives fewer after `timeout` seconds."""
        return self._background.run(self._client.read(topic, count, timeout), timeout + 30)

    def partitions(self, topic: str) -> int:
        """Tell how many partitions a topic has."""
        return len(self._background.run(self._client.partitions(topic)))

    def members(self, group: str) -> int:
        """Tell how many workers share the topics of a group; 0 while these are being assigned."""
        return self._background.run(self._members(group))

    async def _members(self, group: str) -> int:
        admin = AIOKafkaAdminClient(bootstrap_servers=self._servers)
        await admin.start()
        try:
            (response,) = await admin.describe_consumer_groups([group])
        finally:
            await admin.close()
        (described,) = response.to_object()["groups"]
        return len(described["members"]) if described["state"] == "Stable" else 0

    def committed(self, group: str, topic: str) -> dict[int, int]:
        """Give the offset that a group has committed for each partition, where it has."""
        return self._background.run(self._client.committed(group, topic))


class Scrape:
    """The metrics of a worker as they were when they were asked for."""

    def __init__(self, worker: Worker) -> None:
        status, self.text = get(worker, "/metrics")
        assert status == 200

    def __getitem__(self, name: str) -> dict[tuple[str, ...], float]:
        """Give the values of a metric by the values of its labels, in the order of the labels' names."""
        return {
            tuple(text for _, text in sorted(sample.labels.items())): sample.value for sample in self._samples(name)
        }

    def value(self, name: str, **labels: str) -> float:
        """Give the sum over the samples of a metric that have these labels; 0 where there is none."""
        return sum(sample.value for sample in self._samples(name) if labels.items() <= sample.labels.items())

    def _samples(self, name: str) -> list[Sample]:
        # The page is long and asked for often; only the lines in question are worth the parser's time.
        lines = "".join(
            line for line in self.text.splitlines(keepends=True) if line.startswith((f"{name}{{", f"{name} "))
        )
        return [sample for family in text_string_to_metric_families(lines) for sample in family.samples]


def metric(worker: Worker, name: str, **labels: str) -> float:
    """Ask a worker for one metric."""
    return Scrape(worker).value(name, **labels)


def get(worker: Worker, path: str, timeout: float = 15.0) -> tuple[int, str]:
    """Ask a worker for a page; gives status and body."""
    try:
        with urllib.request.urlopen(f"{worker.url}{path}", timeout=timeout) as reply:  # noqa: S310 - our own URL
            return reply.status, reply.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def get_json(worker: Worker, path: str) -> tuple[int, Any]:
    """Ask a worker for a page in JSON; gives status and content."""
    status, body = get(worker, path)
    return status, json.loads(body)
