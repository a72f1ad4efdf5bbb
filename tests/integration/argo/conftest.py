# SPDX-License-Identifier: GPL-3.0-or-later
"""Schedulers over the cluster stand-in."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry

from investigator.argo.client import ClusterPolicy
from investigator.argo.pending_limit import PendingPolicy
from investigator.argo.scheduler import WorkflowPolicy, WorkflowScheduler
from investigator.observability.metrics import Metrics
from investigator.resilience.breaker_group import BreakerGroup
from investigator.resilience.calls import CallPolicy
from sandbox.cluster import ClusterStandIn
from tests.integration.argo.scheduling import Make
from tests.support.cluster_clients import cluster_client


@pytest.fixture
def metrics() -> Metrics:
    """Metrics that no other test uses."""
    return Metrics(CollectorRegistry())


@pytest.fixture
def breaker() -> BreakerGroup:
    """A group without any outage."""
    return BreakerGroup("cluster")


@pytest.fixture
def make(
    cluster: ClusterStandIn,
    cluster_environment: dict[str, str],
    tmp_path: Path,
    metrics: Metrics,
    breaker: BreakerGroup,
) -> Iterator[Make]:
    """A function that makes a scheduler over the stand-in; the schedulers are closed after the test."""
    del cluster_environment  # thoth-common reads it
    made: list[WorkflowScheduler] = []

    def make(
        *, limit: int | None = None, interval: float = 0.05, max_attempts: int = 6, timeout: float = 0.3
    ) -> WorkflowScheduler:
        client = cluster_client(cluster, tmp_path, ClusterPolicy(connections=20, timeout=timeout))
        policy = WorkflowPolicy(
            CallPolicy(20, retry_budget=2.0, max_attempts=max_attempts), PendingPolicy(limit, interval)
        )
        made.append(WorkflowScheduler(client, policy, metrics, breaker))
        return made[-1]

    yield make
    for scheduler in made:
        scheduler.close()
