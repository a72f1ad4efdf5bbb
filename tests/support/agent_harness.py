# SPDX-License-Identifier: GPL-3.0-or-later
"""Feeds messages, as bytes, to the handlers of a worker whose cluster, graph and package indexes are fakes."""

import json
from collections.abc import Iterable, Mapping

from prometheus_client import CollectorRegistry

from investigator.agent import Mode
from investigator.agent.context import Services
from investigator.agent.ports import Workflows
from investigator.delivery.origin import Origin
from investigator.delivery.policy import RetryPolicy
from investigator.delivery.retry import Failure, run_with_retries
from investigator.message_types import load_message_types
from investigator.observability.metrics import Metrics
from investigator.observability.redaction import Redactor
from investigator.settings import load_settings
from investigator.streaming.handler_steps import Handlers, HandlerSteps
from investigator.streaming.parser import Parser
from tests.support.agent_fakes import (
    BACKEND,
    INFRA,
    MIDDLETIER,
    FakeGraph,
    FakeIndex,
    FakeScheduler,
    FaultInjector,
    Workflow,
)

MESSAGE_TYPES = load_message_types()

PYPI = "https://pypi.org/simple"
RHEL, FEDORA, UBI = "solver-rhel-8-py38", "solver-fedora-35-py310", "solver-ubi-8-py38"
SOLVERS = (RHEL, FEDORA, UBI)
DEFAULT_MODES = (Mode.MIDDLETIER, Mode.BACKEND)

#: The fields that every message has; the version is left to the tests.
COMMON = {"component_name": "tester", "service_version": "1.0.0"}

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


class AgentHarness:
    """A worker's handlers, with a graph that knows two indexes and no package, and three installed solvers.

    Args:
        faults: makes one call of a fake fail.
        workflows: schedules workflows in place of the fake.
        variables: environment variables that differ from the defaults.

    Attributes:
        faults: counts the calls of all fakes.
        graph: the fake graph.
        index: the fake package indexes.
        scheduler: the fake scheduler.
        metrics: the metrics, in a registry of their own.
    """

    def __init__(
        self, faults: FaultInjector | None = None, workflows: Workflows | None = None, /, **variables: str
    ) -> None:
        self.faults = faults or FaultInjector()
        self.graph = FakeGraph(self.faults)
        self.index = FakeIndex(self.faults)
        self.scheduler = FakeScheduler(self.faults, list(SOLVERS))
        self.metrics = Metrics(CollectorRegistry())
        settings = load_settings(ENVIRONMENT | variables)
        self._parser = Parser(Redactor().learn_from)
        self._services = Services(settings, workflows or self.scheduler, self.graph, self.index, self.metrics)

    async def handle(
        self,
        base_name: str,
        fields: Mapping[str, object],
        *,
        modes: Iterable[Mode] = DEFAULT_MODES,
        attempts: int = 1,
        offset: int = 0,
    ) -> Failure | None:
        """Parse a message with these fields, and run the steps that a worker with these modes runs.

        Args:
            base_name: the type of the message.
            fields: its fields beside the common ones.
            modes: the modes of the worker; a message's handlers run in this order.
            attempts: how many attempts are made at most.
            offset: the message's offset; two messages of one offset are the same message.

        Returns:
            None if all handlers succeeded, otherwise the last error and the number of attempts.
        """
        steps = HandlerSteps(
            Handlers("investigator", tuple(modes), lambda: self._services, self._parser),
            MESSAGE_TYPES[base_name],
            json.dumps({**COMMON, **fields}).encode(),
            Origin(f"ocp4-test.{base_name}", 3, offset, 1_640_995_200_000),
            headers=(),
        )
        return await run_with_retries(
            list(steps.make()),
            RetryPolicy(attempts, 0),
            sleep=_no_sleep,
            on_failed_attempt=lambda _error, _attempts: None,
        )

    @property
    def workflows(self) -> list[Workflow]:
        """The created workflows, in the order of their creation."""
        return list(self.scheduler.created.values())

    def kinds(self) -> list[str]:
        """Return the kinds of the created workflows, sorted; a kind occurs once for each of its workflows."""
        return sorted(workflow.kind for workflow in self.workflows)

    def parameters(self, kind: str) -> list[dict[str, str]]:
        """Return the parameters of each workflow of a kind, without the one that holds its id, sorted."""
        found = [
            {name: text for name, text in workflow.parameters.items() if text != workflow.id}
            for workflow in self.workflows
            if workflow.kind == kind
        ]
        return sorted(found, key=lambda parameters: sorted(parameters.items()))


async def _no_sleep(_seconds: float) -> None:
    pass
