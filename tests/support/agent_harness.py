# SPDX-License-Identifier: GPL-3.0-or-later
"""A worker with the outside replaced by fakes: feeds it messages as bytes, and tells what came of them."""

import importlib
import json
import pkgutil
from collections.abc import Iterable, Mapping
from functools import partial
from typing import TYPE_CHECKING, cast

from prometheus_client import CollectorRegistry

import agents
from investigator.agent import MESSAGE_TYPES, Mode
from investigator.agent.context import Services, Work
from investigator.delivery.errors import PermanentError
from investigator.delivery.origin import Origin
from investigator.delivery.policy import RetryPolicy
from investigator.delivery.retry import Failure, run_with_retries
from investigator.observability.metrics import Metrics
from investigator.settings import load_settings
from tests.support.agent_fakes import BACKEND, INFRA, MIDDLETIER, FakeGraph, FakeIndex, FakeWorkflows, Outside, Workflow

if TYPE_CHECKING:
    from investigator.argo.scheduler import WorkflowScheduler
    from investigator.graph.client import GraphClient
    from investigator.package_index import PackageIndex

for module in pkgutil.iter_modules(agents.__path__, "agents."):
    importlib.import_module(module.name)

PYPI = "https://pypi.org/simple"
RHEL, FEDORA, UBI = "solver-rhel-8-py39", "solver-fedora-35-py310", "solver-ubi-8-py38"
SOLVERS = (RHEL, FEDORA, UBI)
DEFAULT_MODES = (Mode.MIDDLETIER, Mode.BACKEND)

ENVIRONMENT = {
    "KAFKA_BOOTSTRAP_SERVERS": "kafka:9092",
    "KAFKA_CONSUMER_GROUP_ID": "investigator",
    "THOTH_DEPLOYMENT_NAME": "ocp4-test",
    "THOTH_INFRA_NAMESPACE": INFRA,
    "THOTH_BACKEND_NAMESPACE": BACKEND,
    "THOTH_MIDDLETIER_NAMESPACE": MIDDLETIER,
    "THOTH_CEPH_BUCKET_PREFIX": "data",
    "THOTH_CEPH_BUCKET": "thoth",
    "THOTH_S3_ENDPOINT_URL": "https://s3.example.com",
}


class World:
    """One worker; ``variables`` of the environment differ from the defaults."""

    def __init__(self, outside: Outside | None = None, /, **variables: str) -> None:
        self.outside = outside or Outside()
        self.graph = FakeGraph(self.outside)
        self.index = FakeIndex(self.outside)
        self.cluster = FakeWorkflows(self.outside, list(SOLVERS))
        self.metrics = Metrics(CollectorRegistry())
        self._services = Services(
            load_settings(ENVIRONMENT | variables),
            cast("WorkflowScheduler", self.cluster),
            cast("GraphClient", self.graph),
            cast("PackageIndex", self.index),
            self.metrics,
        )

    async def handle(
        self,
        base_name: str,
        fields: Mapping[str, object],
        *,
        modes: Iterable[Mode] = DEFAULT_MODES,
        attempts: int = 1,
        offset: int = 0,
    ) -> Failure | None:
        """Parse a message with these fields and run its handlers as the engine does.

        Returns:
            None when all handlers succeeded, else why the message was given up.
        """
        message_type = MESSAGE_TYPES[base_name]
        try:
            message = message_type.parse(json.dumps({**COMMON, **fields}).encode())
        except PermanentError as error:
            return Failure(error, 1)
        origin = Origin(f"ocp4-test.{base_name}", 3, offset, 1_640_995_200_000)
        work = Work(base_name, origin, self._services)
        return await run_with_retries(
            [partial(handler, message, work) for handler in message_type.handlers_in(tuple(modes))],
            RetryPolicy(attempts, 0),
            sleep=_no_sleep,
            on_failed_attempt=lambda _error, _attempts: None,
        )

    @property
    def workflows(self) -> list[Workflow]:
        """The workflows that were created, in that order."""
        return list(self.cluster.created.values())

    def kinds(self) -> list[str]:
        """The kinds of the workflows that were created, sorted."""
        return sorted(workflow.kind for workflow in self.workflows)

    def parameters(self, kind: str) -> list[dict[str, str]]:
        """What each workflow of a kind was given, without its id, sorted."""
        given = [
            {name: text for name, text in workflow.parameters.items() if text != workflow.id}
            for workflow in self.workflows
            if workflow.kind == kind
        ]
        return sorted(given, key=lambda parameters: sorted(parameters.items()))


COMMON = {"component_name": "tester", "service_version": "1.0.0"}


async def _no_sleep(_seconds: float) -> None:
    pass
