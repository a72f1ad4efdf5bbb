# SPDX-License-Identifier: GPL-3.0-or-later
"""Fixtures of the end-to-end tests. Test modules share the servers, but no topics, groups, databases or namespaces."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox.broker import Broker
from sandbox.environment import Sandbox
from sandbox.postgres import PostgresServer
from sandbox.worker import Worker
from tests.support.module_clients import every_connection_is_closed, kafka
from tests.support.running_workers import empty_sandbox

__all__ = ["every_connection_is_closed", "kafka"]  # fixtures of this folder too


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests of this folder as end-to-end tests; pytest passes those of all folders."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.e2e)


@pytest.fixture(scope="module")
def shared_sandbox(
    broker: Broker, postgres: PostgresServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Sandbox]:
    """A sandbox that the tests of a module share; its package index is registered in the graph."""
    with empty_sandbox(broker, postgres, tmp_path_factory.mktemp("shared")) as sandbox:
        sandbox.seed.index(sandbox.index.index_url())
        yield sandbox


@pytest.fixture(scope="module")
def worker(shared_sandbox: Sandbox) -> Iterator[Worker]:
    """A worker that the tests of a module share; each test uses message types that no other test uses."""
    with shared_sandbox.worker() as running:
        yield running
