# SPDX-License-Identifier: GPL-3.0-or-later
"""Fixtures of the tests on Apache Kafka; the tests are skipped unless SANDBOX_KAFKA=apache."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox.apache_kafka import provide
from sandbox.broker import Broker, UnavailableError
from tests.support.kafka_admin import KafkaAdmin
from tests.support.module_clients import every_connection_is_closed, kafka

__all__ = ["every_connection_is_closed", "kafka"]  # fixtures of this folder too


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests of this folder as end-to-end tests; pytest passes those of all folders."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.e2e)
            if os.environ.get("SANDBOX_KAFKA") != "apache":
                item.add_marker(pytest.mark.skip("needs Apache Kafka: make test-kafka"))
            if item.get_closest_marker("timeout") is None:
                item.add_marker(pytest.mark.timeout(300))  # a Java broker starts slowly on a busy machine


@pytest.fixture(scope="session")
def apache_kafka_programs() -> None:
    """Provide Java and the broker's jars; skip the tests that start their own brokers if these are missing."""
    try:
        provide()
    except UnavailableError as error:
        pytest.skip(f"needs to start its own broker: {error}")


@pytest.fixture(scope="module")
def admin(broker: Broker) -> Iterator[KafkaAdmin]:
    """An administration client of the module's broker, whose user may do everything."""
    admin = KafkaAdmin(broker.bootstrap_servers)
    yield admin
    admin.close()
