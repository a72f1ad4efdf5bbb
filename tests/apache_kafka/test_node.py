# SPDX-License-Identifier: GPL-3.0-or-later
"""The sandbox's Apache Kafka: its jars are the right ones, its data outlive a crash."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox.apache_kafka import ApacheKafka, programs
from sandbox.apache_kafka.programs import TamperedError, jars, java
from sandbox.broker import UnavailableError
from sandbox.ports import accepts
from tests.support.blocking_kafka import BlockingKafka


@pytest.fixture(scope="module")
def own_broker(apache_kafka_programs: None) -> Iterator[ApacheKafka]:
    """A broker of these tests' own, with a gate."""
    del apache_kafka_programs
    with ApacheKafka(gated=True) as broker:
        yield broker


@pytest.mark.parametrize("lose", ["kill", "close_gate"])
def test_data_outlive_a_crash_and_an_outage(own_broker: ApacheKafka, lose: str) -> None:
    """At the same address, after a start or with the gate open again."""
    topic = f"topic-{lose}"
    with BlockingKafka(own_broker.bootstrap_servers) as kafka:
        kafka.create_topics(own_broker, [topic], partitions=2)
        kafka.send(topic, b"before", partition=1)
    getattr(own_broker, lose)()
    port = int(own_broker.bootstrap_servers.rpartition(":")[2])
    assert lose == "kill" or not accepts(port)
    own_broker.start()
    with BlockingKafka(own_broker.bootstrap_servers) as kafka:
        assert [record.value for record in kafka.read(topic, 1)] == [b"before"]


def test_other_jars_than_the_pinned_ones_are_refused(apache_kafka_programs: None, tmp_path: Path) -> None:
    """One that is missing, one that is changed, and one too many are named."""
    del apache_kafka_programs
    for jar in jars().iterdir():
        (tmp_path / jar.name).symlink_to(jar)
    programs._check(tmp_path)
    changed, missing = sorted(tmp_path.iterdir())[:2]
    changed.unlink()
    changed.write_bytes(b"something else")
    missing.unlink()
    (tmp_path / "more.jar").write_bytes(b"")
    with pytest.raises(TamperedError) as caught:
        programs._check(tmp_path)
    assert str(caught.value).endswith(f"{changed.name}, {missing.name}, more.jar")


def test_a_missing_java_is_said(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """With the version that is needed."""
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))
    java.cache_clear()
    with pytest.raises(UnavailableError, match="needs Java 17 or newer"):
        java()
    java.cache_clear()
