# SPDX-License-Identifier: GPL-3.0-or-later
"""Failed messages of types with ACK_ON_FAIL: the dead-letter topic receives them unchanged, and the topic continues."""

import asyncio
import json
import struct
from collections import Counter
from collections.abc import Iterator
from itertools import islice

import pytest
from aiokafka import AIOKafkaProducer, ConsumerRecord

from sandbox.broker import Broker
from sandbox.environment import Sandbox
from sandbox.faults import Fault
from sandbox.worker import Worker
from tests.e2e.bad_input import BadInput
from tests.support.blocking_kafka import BlockingKafka, message
from tests.support.examples import PASSWORD
from tests.support.polling import wait_until
from tests.support.raw_headers import send_with_raw_headers
from tests.support.repository_load import REPO_INIT, RUN_URL, Load
from tests.support.worker_http import Scrape, get, metric

EXTRACT = "thoth.package-extract-trigger"
KEBECHET = "thoth.kebechet-trigger"
ACK_ON_FAIL = [REPO_INIT, EXTRACT, KEBECHET]
DEAD_LETTERS = "thoth_investigator_dead_letters_total"


@pytest.fixture(scope="module")
def worker(shared_sandbox: Sandbox, broker: Broker, kafka: BlockingKafka) -> Iterator[Worker]:
    """A worker that dead-letters the failed messages of some types, and that accepts large messages."""
    kafka.create_topics(broker, [shared_sandbox.topic(base_name) for base_name in ACK_ON_FAIL], partitions=2)
    options = {"THOTH_INVESTIGATOR_ACK_ON_FAIL": json.dumps(ACK_ON_FAIL), "KAFKA_MESSAGE_MAX_BYTES": str(2**23)}
    with shared_sandbox.worker(shared_sandbox.env(THOTH_INVESTIGATOR_BACKOFF="0.1", **options)) as running:
        yield running


def headers(record: ConsumerRecord) -> dict[str, bytes]:
    """Return the headers by name, without those that have no content."""
    return {name: content for name, content in record.headers if content is not None}


def test_a_failed_message_is_dead_lettered_with_headers_about_its_failure(
    worker: Worker, shared_sandbox: Sandbox, kafka: BlockingKafka
) -> None:
    """Key, value, headers and partition are unchanged, spring-kafka's headers are added, and its topic continues."""
    topic = shared_sandbox.topic(KEBECHET)
    shared_sandbox.cluster.faults.set(Fault(effect="status", status=500, method="POST", body="to-be-dead-lettered"))
    value = json.dumps(message(webhook_payload={"action": "to-be-dead-lettered"})).encode()

    own = [("trace", b"\x00\xff"), ("trace", b"2"), ("none", None), ("empty", b"")]
    sent = kafka.send(topic, value, key=b"the key", partition=1, headers=own)
    (dead_letter,) = kafka.read(f"{topic}-dlt", 1)
    shared_sandbox.cluster.faults.clear()

    assert (dead_letter.partition, dead_letter.key, dead_letter.value) == (1, b"the key", value)
    assert list(dead_letter.headers[:4]) == own
    added = headers(dead_letter)
    assert added["kafka_dlt-original-topic"] == topic.encode()
    assert added["kafka_dlt-original-partition"] == struct.pack(">i", 1)
    assert added["kafka_dlt-original-offset"] == struct.pack(">q", sent.offset)
    assert added["kafka_dlt-original-timestamp"] == struct.pack(">q", sent.timestamp)
    assert added["kafka_dlt-original-timestamp-type"] == b"CreateTime"
    assert added["kafka_dlt-original-consumer-group"] == shared_sandbox.group().encode()
    assert added["kafka_dlt-exception-fqcn"].endswith(b"TemporaryError")
    assert added["kafka_dlt-exception-cause-fqcn"]
    assert b"500" in added["kafka_dlt-exception-message"]
    assert added["kafka_dlt-exception-stacktrace"].startswith(b"Traceback")
    assert added["retry_topic-attempts"] == struct.pack(">i", 5)

    wait_until(
        lambda: kafka.committed(shared_sandbox.group(), topic).get(1) == sent.offset + 1,
        "the failed message is committed",
    )
    kafka.send(topic, message(webhook_payload={}), partition=1)
    wait_until(
        lambda: kafka.committed(shared_sandbox.group(), topic).get(1) == sent.offset + 2, "the next one is handled"
    )
    assert metric(worker, DEAD_LETTERS, message_type="kebechet_trigger") == 1
    assert metric(worker, "thoth_investigator_halted_topics") == 0


def test_any_input_is_handled_or_dead_lettered(
    worker: Worker, shared_sandbox: Sandbox, kafka: BlockingKafka, broker: Broker
) -> None:
    """Invalid input among valid messages: the worker runs on, handles the valid ones, and dead-letters the others."""
    load, other = Load(kafka, shared_sandbox, "good"), Load(kafka, shared_sandbox, "other", RUN_URL)
    bad = list(islice(BadInput(seed=20), 300))
    for number, each in enumerate(bad):
        kafka.send(load.topic, each.value, key=each.key, headers=each.headers)
        if number % 3 == 0:
            load.send(1)
    raw = [(b"tr\xe4ce", b"7"), (b"\xff", None)]
    asyncio.run(send_with_raw_headers(broker.bootstrap_servers, load.topic, b"bad, with odd names", raw))
    good = json.dumps(message(project_url=next(load.new_urls(1)))).encode()
    asyncio.run(send_with_raw_headers(broker.bootstrap_servers, load.topic, good, raw))
    load.send(1)

    load.wait_for_all()
    dead_letters = kafka.read(f"{load.topic}-dlt", len(bad) + 1)
    values = Counter(dead_letter.value for dead_letter in dead_letters)
    assert values == Counter([*(each.value for each in bad), b"bad, with odd names"])
    by_value = {dead_letter.value: dead_letter for dead_letter in dead_letters if values[dead_letter.value] == 1}
    for each in bad:
        if each.value in by_value:
            assert by_value[each.value].key == each.key
            assert by_value[each.value].headers[: len(each.headers)] == each.headers
    all_of_them = len(bad) + 1 + len(load.urls)
    wait_until(
        lambda: sum(kafka.committed(shared_sandbox.group(), load.topic).values()) == all_of_them, "all are committed"
    )

    scrape = Scrape(worker)
    assert scrape.value(DEAD_LETTERS, message_type="repo_init") == len(bad) + 1
    assert scrape.value("thoth_investigator_exceptions_total", message_type="repo_init") == len(bad) + 1
    assert scrape.value("thoth_investigator_halted_topics") == 0
    other.send(5)
    other.wait_for_all()
    assert worker.process.status is None


@pytest.mark.parametrize("codec", ["gzip", "snappy", "lz4", "zstd"])
@pytest.mark.usefixtures("worker")
def test_compressed_messages_are_handled(
    shared_sandbox: Sandbox, kafka: BlockingKafka, broker: Broker, codec: str
) -> None:
    """Producers and topics choose the codec; a codec that is not installed would end every worker."""
    load = Load(kafka, shared_sandbox, codec)

    asyncio.run(send_compressed(broker.bootstrap_servers, load.topic, codec, list(load.new_urls(20))))

    load.wait_for_all()


async def send_compressed(servers: str, topic: str, codec: str, urls: list[str]) -> None:
    """Send messages about repositories in compressed batches."""
    async with AIOKafkaProducer(bootstrap_servers=servers, compression_type=codec, linger_ms=50) as producer:
        values = [json.dumps(message(project_url=url)).encode() for url in urls]
        await asyncio.gather(*[await producer.send(topic, value) for value in values])


def test_passwords_reach_only_the_workflow(worker: Worker, shared_sandbox: Sandbox, kafka: BlockingKafka) -> None:
    """They are not in logs, metrics, pages or headers. A dead letter's value is the unchanged message."""
    fields = {"environment_type": "runtime", "registry_user": "fridolin", "registry_password": PASSWORD}
    topic = shared_sandbox.topic(EXTRACT)
    shared_sandbox.cluster.faults.set(Fault(effect="status", status=500, method="POST", body="ubi8:failing"))

    kafka.send(topic, message(fields, image="ubi8:good"))
    kafka.send(topic, message(fields, image="ubi8:failing"))
    kafka.send(topic, message(fields, image="ubi8:bad", job_id=PASSWORD))
    kafka.send(topic, message(fields, image="ubi8:bad", debug=PASSWORD))
    kafka.send(topic, json.dumps(message(fields, image="ubi8:bad")).encode() + b"x")
    dead_letters = kafka.read(f"{topic}-dlt", 4)
    shared_sandbox.cluster.faults.clear()

    assert len(dead_letters) == 4
    for dead_letter in dead_letters:
        assert PASSWORD.encode() in dead_letter.value
        assert all(PASSWORD.encode() not in content for _, content in dead_letter.headers)
    (good,) = [
        each for each in shared_sandbox.cluster.created if each.parameters.get("THOTH_ANALYZED_IMAGE") == "ubi8:good"
    ]
    assert good.parameters["THOTH_REGISTRY_CREDENTIALS"] == f"fridolin:{PASSWORD}"
    assert PASSWORD not in str(good.labels) + str(good.annotations)
    for page in ("/metrics", "/_health", "/"):
        assert PASSWORD not in get(worker, page)[1]
    assert PASSWORD not in worker.log_text()
    assert shared_sandbox.database.environment()["KNOWLEDGE_GRAPH_PASSWORD"] not in worker.log_text()
    assert shared_sandbox.cluster.token not in worker.log_text()


@pytest.mark.usefixtures("worker")
def test_the_log_of_halts_contains_no_passwords(shared_sandbox: Sandbox, kafka: BlockingKafka) -> None:
    """All clients that may read topics can read it. It quotes the cluster's answer, which here repeats a password."""
    fields = {"base_image": "ubi8", "base_registry_user": "fridolin", "base_registry_password": PASSWORD}
    halts = shared_sandbox.topic("thoth.investigator.halts")

    kafka.send(shared_sandbox.topic("thoth.build-analysis-trigger"), message(fields, job_id=PASSWORD))
    wait_until(lambda: any(b"build-analysis-trigger" in key for key in keys(kafka, halts)), "the halt is written")

    records = kafka.read(halts, 100, 2.0)
    assert any(b"is invalid" in (record.value or b"") for record in records)
    assert all(PASSWORD.encode() not in (record.value or b"") for record in records)


def keys(kafka: BlockingKafka, topic: str) -> list[bytes]:
    """Return the keys of the first records of a topic."""
    return [record.key or b"" for record in kafka.read(topic, 100, 1.0)]
