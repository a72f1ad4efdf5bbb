# SPDX-License-Identifier: GPL-3.0-or-later
"""Fixtures of the tests on Apache Kafka; without it, all of them are skipped."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox.apache_kafka import provide
from sandbox.broker import Broker, UnavailableError
from tests.support.e2e import Kafka
from tests.support.kafka_operator import Operator


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark all tests of this folder, and only these."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.e2e)
            if os.environ.get("SANDBOX_KAFKA") != "apache":
                item.add_marker(pytest.mark.skip("needs Apache Kafka: make test-kafka"))
            if item.get_closest_marker("timeout") is None:
                item.add_marker(pytest.mark.timeout(300))  # brokers that are busy come up late


@pytest.fixture(scope="session")
def apache() -> None:
    """What brokers of a test's own are made of; without it, the tests that need such are skipped."""
    try:
        provide()
    except UnavailableError as error:
        pytest.skip(f"needs a broker of its own: {error}")


@pytest.fixture(scope="module")
def kafka(broker: Broker) -> Iterator[Kafka]:
    """A client of the broker of the module's tests."""
    with Kafka(broker.bootstrap_servers) as client:
        yield client


@pytest.fixture(scope="module")
def operator(broker: Broker) -> Iterator[Operator]:
    """Somebody who may do everything on the broker of the module's tests."""
    operator = Operator(broker.bootstrap_servers)
    yield operator
    operator.close()
