# SPDX-License-Identifier: GPL-3.0-or-later
"""The servers of a worker, on which the checks before its start run."""

from functools import partial
from pathlib import Path

import pytest

from investigator.kafka.topics import Topic
from investigator.preflight.checks import Preflight, PreflightError
from investigator.services import build_cluster, build_database
from investigator.settings import load_settings
from sandbox.broker import Broker
from sandbox.cluster import ClusterStandIn
from sandbox.postgres import Database
from tests.support.required_settings import REQUIRED

TOPICS = [Topic("ocp4-stage.thoth.repo-init", 3, 1)]


class Surroundings:
    """The servers of a worker; a test changes one of them and looks at the reported problem."""

    def __init__(self, broker: Broker, database: Database, cluster: ClusterStandIn, folder: Path) -> None:
        self.cluster = cluster
        self.kubeconfig = folder / "kubeconfig"
        self.variables = {
            **REQUIRED,
            **database.environment(),
            **cluster.environment("ocp4-stage"),
            "KAFKA_BOOTSTRAP_SERVERS": broker.bootstrap_servers,
            "KUBECONFIG": str(self.kubeconfig),
        }
        self.topics = TOPICS
        self.timeout = 10.0

    async def check(self) -> None:
        """Run the checks."""
        settings = load_settings(self.variables)
        database, cluster = partial(build_database, settings), partial(build_cluster, settings)
        await Preflight(settings, self.topics, database, cluster, self.timeout).run()

    async def problem(self) -> str:
        """Run the checks, and return the one problem that they report."""
        with pytest.raises(PreflightError) as caught:
            await self.check()
        (problem,) = caught.value.problems
        assert problem in str(caught.value)
        return problem
