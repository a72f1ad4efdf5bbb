# SPDX-License-Identifier: GPL-3.0-or-later
"""The sandbox's Apache Kafka: checked jars, and data that survive a crash."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox.apache_kafka import ApacheKafka, programs
from sandbox.apache_kafka.programs import TamperedError, jars, java
from sandbox.broker import UnavailableError
from sandbox.tcp_ports import accepts
from tests.support.blocking_kafka import BlockingKafka


@pytest.fixture(scope="module")
def own_broker(apache_kafka_programs: None) -> Iterator[ApacheKafka]:
    """A broker for the tests of this module, which can be made unreachable."""
    del apache_kafka_programs
    with ApacheKafka(proxied=True) as broker:
        yield broker


@pytest.mark.parametrize("lose", ["kill", "close_proxy"])
def test_data_survive_a_crash_and_an_outage(own_broker: ApacheKafka, lose: str) -> None:
    """They are there at the same address after a restart, and after the broker is reachable again."""
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


def test_jars_that_differ_from_the_pinned_ones_are_refused(apache_kafka_programs: None, tmp_path: Path) -> None:
    """The error names a changed, a missing and an additional jar."""
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


def test_a_missing_java_is_reported_with_the_required_version(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """It skips the tests on Apache Kafka instead of failing them."""
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))
    java.cache_clear()
    with pytest.raises(UnavailableError, match="needs Java 17 or newer"):
        java()
    java.cache_clear()
