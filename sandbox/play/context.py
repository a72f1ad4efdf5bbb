# SPDX-License-Identifier: GPL-3.0-or-later
"""The shared state of a run: through it scenarios and workflows send messages, which are logged and printed."""

import asyncio
import itertools
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timezone

from sandbox.environment import Sandbox
from sandbox.kafka_client import KafkaClient
from sandbox.play.event_log import EventLog, SentMessage
from sandbox.play.fixtures import PYPI, Release
from sandbox.play.knowledge import Knowledge
from sandbox.play.messages import Outgoing, PackageVersion
from sandbox.play.requests import RequestStore, job_id
from sandbox.play.subjects import shorten_index_urls, subject_of_message, subject_of_workflow
from sandbox.play.workflow_simulator import WorkflowSimulator
from sandbox.workflow_store import CreatedWorkflow

__all__ = ["PrintLine", "ScenarioContext"]

PrintLine = Callable[[str], None]

# A workflow may start before the broker's acknowledgement of its message, with the offset, has reached the sender.
_ACKNOWLEDGEMENT_TIMEOUT = 5.0
_POLL_INTERVAL = 0.02


@dataclass
class ScenarioContext:
    """The state that all scenarios of one run share; it belongs to one event loop."""

    sandbox: Sandbox
    kafka: KafkaClient
    print_line: PrintLine
    request_store: RequestStore = field(default_factory=RequestStore)
    event_log: EventLog = field(default_factory=EventLog)
    knowledge: Knowledge = field(init=False)
    simulator: WorkflowSimulator = field(init=False)

    def __post_init__(self) -> None:
        self.knowledge = Knowledge(self.sandbox.database)
        self.simulator = WorkflowSimulator(self.knowledge, self.request_store)
        self._job_numbers = itertools.count(1)

    def index_url(self, index: str = PYPI) -> str:
        """Return the URL of an index on the embedded server, as in the graph and in messages."""
        return self.sandbox.index.index_url(index)

    def package_version(self, release: Release) -> PackageVersion:
        """Return a release with the URL of its index."""
        return PackageVersion(release.name, release.version, self.index_url(release.index))

    def new_job(self, prefix: str) -> str:
        """Return a new job id, as user-api creates one when it accepts a request."""
        return job_id(prefix, next(self._job_numbers), f"{datetime.now(timezone.utc):%y%m%d%H%M%S}")

    async def send_first(self, scenario: int, message: Outgoing) -> None:
        """Send and print a message that no other message of the run has caused."""
        self.print_line(f"{message.sender} sends {message.short_name}: {self._shorten(subject_of_message(message))}")
        await self.send(scenario, message)

    async def send(self, scenario: int, message: Outgoing) -> None:
        """Send a message and log its position."""
        written = await self.kafka.send(self.sandbox.topic(message.base_name), message.content)
        origin = (written.topic, written.partition, written.offset)
        self.event_log.add(SentMessage(scenario, message, origin, written.timestamp / 1000))

    async def run(self, workflow: CreatedWorkflow) -> None:
        """Simulate a workflow of the cluster, print its result, and send its messages.

        Every exception makes the workflow fail.

        Raises:
            LookupError: no message of the run has caused the workflow, or the workflow lacks a parameter or a request.
        """
        cause = await self._cause(workflow)
        subject = f"  {cause.message.short_name} → {self._shorten(subject_of_workflow(workflow))}"
        try:
            result = await self.simulator.run(workflow)
        except Exception as error:
            self.print_line(f"{subject}: FAILED: {type(error).__name__}: {error}")
            raise
        names = " and ".join(dict.fromkeys(message.short_name for message in result.outgoing))
        self.print_line(f"{subject}: {result.summary}" + (f"; sends {names}" if names else ""))
        for message in result.outgoing:
            await self.send(cause.scenario, message)

    def phases(self) -> dict[str, str]:
        """Return the phase of each workflow of the cluster, by name."""
        cluster = self.sandbox.cluster
        found = cluster.on_loop(lambda: [cluster.store.get(each.namespace, each.name) for each in cluster.created])
        return {workflow.record.name: workflow.phase or "Pending" for workflow in found}

    async def _cause(self, workflow: CreatedWorkflow) -> SentMessage:
        deadline = asyncio.get_running_loop().time() + _ACKNOWLEDGEMENT_TIMEOUT
        while (cause := self.event_log.cause(workflow)) is None:
            if asyncio.get_running_loop().time() > deadline:
                reason = "no message of the run caused this workflow"
                self.print_line(f"  {workflow.kind} {workflow.name}: FAILED: {reason}")
                raise LookupError(reason)
            await asyncio.sleep(_POLL_INTERVAL)
        return cause

    def _shorten(self, text: str) -> str:
        return shorten_index_urls(text, self.sandbox.index.url)
