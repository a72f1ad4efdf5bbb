# SPDX-License-Identifier: GPL-3.0-or-later
"""Fixtures of the tests on Apache Kafka; without it, all of them are skipped."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox.apache_kafka.programs import UnavailableError, jars
from sandbox.broker import Broker
from tests.e2e.outside import Kafka
from tests.kafka.operator import Operator


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark all tests of this folder, and only these."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.e2e)
            if os.environ.get("SANDBOX_KAFKA") != "apache":
                item.add_marker(pytest.mark.skip("needs Apache Kafka: make test-kafka"))


@pytest.fixture(scope="session")
def apache() -> None:
    """What brokers of one's own are made of; without it, the tests that need such are skipped."""
    try:
        jars()
    except UnavailableError as error:
        pytest.skip(str(error))


@pytest.fixture(scope="session")
def kafka(broker: Broker) -> Iterator[Kafka]:
    """A client of the shared broker."""
    with Kafka(broker.bootstrap_servers) as client:
        yield client


@pytest.fixture(scope="session")
def operator(broker: Broker) -> Iterator[Operator]:
    """Somebody who may do everything on the shared broker."""
    operator = Operator(broker.bootstrap_servers)
    yield operator
    operator.close()
