# SPDX-License-Identifier: GPL-3.0-or-later
"""Some rows of the fault matrix, with short faults: what happens to messages, attempts and topics, not how fast."""

import uuid
from collections.abc import Iterator

import pytest

from sandbox.broker import Broker
from sandbox.fault_matrix.rows import ROWS
from sandbox.fault_matrix.run import ENVIRONMENT, Extent, FaultMatrix
from sandbox.fault_matrix.surroundings import surroundings
from sandbox.fault_matrix.traffic import Traffic
from sandbox.fault_matrix.verdict import violations
from sandbox.postgres import PostgresServer
from tests.support.running_workers import running

# The first test also starts the servers and the workers, which takes long on a busy machine.
pytestmark = pytest.mark.timeout(300)

NAMES = ("kind-422", "cluster-slow", "index-404", "index-slow", "graph-slow", "graph-locked")
EXTENT = Extent(normal=1.0, longest_fault=3.0, recovery=30.0, messages=5000)


@pytest.fixture(scope="module")
def matrix(broker: Broker, postgres: PostgresServer) -> Iterator[FaultMatrix]:
    """Two workers, and steady traffic of all streams."""
    with surroundings(broker, postgres, f"faults-{uuid.uuid4().hex[:10]}") as parts, Traffic(parts) as traffic:
        workers = [parts.sandbox.worker(parts.environment(**ENVIRONMENT)) for _ in range(2)]
        with running(*workers):
            matrix = FaultMatrix(parts, workers, traffic, seed=7, extent=EXTENT)
            matrix.warm_up()
            yield matrix


@pytest.mark.parametrize("name", NAMES)
def test_a_fault_loses_repeats_and_halts_nothing_that_it_should_not(matrix: FaultMatrix, name: str) -> None:
    """Every message has its effects once, an outage uses up no attempts, and only what must be halted is halted."""
    (row,) = (row for row in ROWS if row.name == name)
    assert violations(row.expected, matrix.measure(row), timed=False) == []
