# SPDX-License-Identifier: GPL-3.0-or-later
"""The brokers of the sandbox, and how the embedded one differs from Apache Kafka."""

import ssl
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from ipaddress import ip_address
from pathlib import Path

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.errors import KafkaError
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from sandbox.apache_kafka.programs import java
from sandbox.broker import Broker, EmbeddedBroker, RunningBroker, UnavailableError, broker_of_environment, own_broker
from sandbox.kafka_client import KafkaClient
from sandbox.tcp_ports import accepts


@pytest.fixture
def embedded() -> Iterator[EmbeddedBroker]:
    """A new embedded broker behind a TCP proxy."""
    with EmbeddedBroker(proxied=True) as running:
        yield running


async def test_messages_pass_through_the_broker_unchanged(broker: Broker, deployment: str) -> None:
    """Keys, values, headers, tombstones and partitions are preserved."""
    await broker.create_topics([deployment], partitions=3)
    async with KafkaClient(broker.bootstrap_servers) as kafka:
        await kafka.send(deployment, {"a": 1}, key=b"k", partition=2, headers=[("h", b"\xff")])
        await kafka.send(deployment, None, key=b"k", partition=2)
        records = await kafka.read(deployment, 2)
    assert [(record.partition, record.offset, record.key, record.value) for record in records] == [
        (2, 0, b"k", b'{"a": 1}'),
        (2, 1, b"k", None),
    ]
    assert records[0].headers == (("h", b"\xff"),)


async def test_creating_an_existing_topic_changes_nothing(broker: Broker, deployment: str) -> None:
    """A second creation is no error, and the topic keeps its partitions."""
    await broker.create_topics([deployment], partitions=3)
    await broker.create_topics([deployment, f"{deployment}.other"], partitions=1)
    async with KafkaClient(broker.bootstrap_servers) as kafka:
        assert len(await kafka.partitions(deployment)) == 3
        assert len(await kafka.partitions(f"{deployment}.other")) == 1


async def test_an_empty_topic_begins_and_ends_at_offset_0(broker: Broker, deployment: str) -> None:
    """A group has no committed offsets for the topic either."""
    await broker.create_topics([deployment])
    partition = TopicPartition(deployment, 0)
    consumer = AIOKafkaConsumer(bootstrap_servers=broker.bootstrap_servers)
    await consumer.start()
    try:
        assert await consumer.beginning_offsets([partition]) == {partition: 0}
        assert await consumer.end_offsets([partition]) == {partition: 0}
    finally:
        await consumer.stop()
    async with KafkaClient(broker.bootstrap_servers) as kafka:
        assert await kafka.committed(f"{deployment}-group", deployment) == {}


async def test_committed_offsets_of_a_group_are_readable_by_partition(broker: Broker, deployment: str) -> None:
    """A client outside of the group reads them; partitions without a commit are absent."""
    await broker.create_topics([deployment], partitions=2)
    partition = TopicPartition(deployment, 1)
    consumer = AIOKafkaConsumer(
        bootstrap_servers=broker.bootstrap_servers, group_id=f"{deployment}-group", enable_auto_commit=False
    )
    await consumer.start()
    try:
        consumer.assign([partition])
        await consumer.commit({partition: 7})
    finally:
        await consumer.stop()
    async with KafkaClient(broker.bootstrap_servers) as kafka:
        assert await kafka.committed(f"{deployment}-group", deployment) == {1: 7}


async def test_the_embedded_broker_refuses_idempotent_producers(embedded: EmbeddedBroker) -> None:
    """Its attribute `idempotent` agrees, because the sandbox configures the workers' producers by it."""
    producer = AIOKafkaProducer(bootstrap_servers=embedded.bootstrap_servers, enable_idempotence=True)
    try:
        with pytest.raises(KafkaError):
            await producer.start()
    finally:
        await producer.stop()
    assert not embedded.idempotent


async def test_data_survive_a_closed_proxy(embedded: EmbeddedBroker) -> None:
    """The broker is unreachable while its proxy is closed, and has the same messages afterwards."""
    await embedded.create_topics(["topic"])
    async with KafkaClient(embedded.bootstrap_servers) as kafka:
        await kafka.send("topic", "before")
    embedded.close_proxy()
    assert not accepts(int(embedded.bootstrap_servers.rpartition(":")[2]))
    embedded.open_proxy()
    async with KafkaClient(embedded.bootstrap_servers) as kafka:
        assert [record.value for record in await kafka.read("topic", 1)] == [b"before"]


async def test_a_killed_embedded_broker_restarts_empty_at_the_same_address(embedded: EmbeddedBroker) -> None:
    """All its data were in memory."""
    await embedded.create_topics(["topic"], partitions=3)
    address = embedded.bootstrap_servers
    embedded.kill()
    embedded.start()
    assert embedded.bootstrap_servers == address
    await embedded.create_topics(["topic"], partitions=1)
    async with KafkaClient(address) as kafka:
        assert len(await kafka.partitions("topic")) == 1


def test_kafka_bootstrap_servers_selects_a_running_broker(monkeypatch: pytest.MonkeyPatch) -> None:
    """The sandbox uses the broker of KAFKA_BOOTSTRAP_SERVERS and refuses to kill it."""
    monkeypatch.setenv("KAFKA_BOOTSTRAP_SERVERS", "kafka.example:9092")
    with broker_of_environment() as running:
        assert isinstance(running, RunningBroker)
        assert running.bootstrap_servers == "kafka.example:9092"
        with pytest.raises(NotImplementedError):
            running.kill()


def test_an_unknown_value_of_sandbox_kafka_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """A mistyped `apache` is an error; otherwise the tests would run on the embedded broker unnoticed."""
    monkeypatch.setenv("SANDBOX_KAFKA", "apache-kafka")
    with pytest.raises(UnavailableError, match="'embedded' or 'apache', not 'apache-kafka'"):
        own_broker()


def test_a_missing_java_is_reported_before_any_server_starts(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The error comes when the broker is chosen, so that tests can be skipped with the reason."""
    monkeypatch.setenv("SANDBOX_KAFKA", "apache")
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))
    java.cache_clear()
    with pytest.raises(UnavailableError, match="needs Java 17 or newer"):
        own_broker()
    java.cache_clear()


async def test_the_proxy_of_the_embedded_broker_serves_tls(tmp_path: Path) -> None:
    """Only clients that trust the certificate can connect."""
    certificate, key = self_signed(tmp_path)
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(certificate, key)
    with EmbeddedBroker(tls=server) as running:
        assert await reaches(running, ssl.create_default_context(cafile=str(certificate)))
        assert not await reaches(running, ssl.create_default_context())


async def reaches(broker: Broker, tls: ssl.SSLContext) -> bool:
    """Return whether a client with that TLS context can connect to the broker."""
    producer = AIOKafkaProducer(
        bootstrap_servers=broker.bootstrap_servers, security_protocol="SSL", ssl_context=tls, request_timeout_ms=5000
    )
    try:
        await producer.start()
    except KafkaError:
        return False
    finally:
        await producer.stop()
    return True


def self_signed(folder: Path) -> tuple[Path, Path]:
    """Write a self-signed certificate for 127.0.0.1 and its key; return their paths."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "sandbox")])
    now = datetime.now(timezone.utc)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    plain = serialization.NoEncryption()
    (folder / "certificate").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    (folder / "key").write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain)
    )
    return folder / "certificate", folder / "key"
