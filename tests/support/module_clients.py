# SPDX-License-Identifier: GPL-3.0-or-later
"""Fixtures for folders whose tests share the clients of their module; a conftest.py imports them."""

from collections.abc import Iterator

import pytest

from sandbox.broker import Broker
from tests.support.blocking_kafka import BlockingKafka
from tests.support.leaks import failure_on_open_connections

__all__ = ["every_connection_is_closed", "kafka"]


@pytest.fixture(autouse=True, scope="module")
def every_connection_is_closed() -> Iterator[None]:
    """Fail the module that leaves a connection open: its tests share clients, which open connections on demand."""
    with failure_on_open_connections():
        yield


@pytest.fixture(scope="module")
def kafka(broker: Broker) -> Iterator[BlockingKafka]:
    """A client of the module's broker."""
    with BlockingKafka(broker.bootstrap_servers) as client:
        yield client
