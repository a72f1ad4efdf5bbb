# SPDX-License-Identifier: GPL-3.0-or-later
"""Servers for the checks before the start."""

from pathlib import Path

import pytest

from sandbox.broker import Broker
from sandbox.cluster import ClusterStandIn
from sandbox.postgres import Database
from tests.integration.preflight.surroundings import Surroundings


@pytest.fixture
def surroundings(broker: Broker, database: Database, cluster: ClusterStandIn, tmp_path: Path) -> Surroundings:
    """Servers on which every check succeeds."""
    return Surroundings(broker, database, cluster, tmp_path)
