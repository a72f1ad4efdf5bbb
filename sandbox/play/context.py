# SPDX-License-Identifier: GPL-3.0-or-later
"""The surroundings of the story's actors and workflows: they send through it, and everything is told and noted."""

import asyncio
import itertools
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timezone

from sandbox.environment import Sandbox
from sandbox.kafka_client import KafkaClient
from sandbox.play.event_log import EventLog, Sent
from sandbox.play.fixtures import PYPI, Release
from sandbox.play.knowledge import Knowledge
from sandbox.play.messages import Outgoing, Where
from sandbox.play.requests import RequestStore, job_id
from sandbox.play.runs import Runs
from sandbox.play.subjects import short_index, subject_of_message, subject_of_workflow
from sandbox.workflow_store import CreatedWorkflow

__all__ = ["ScenarioContext"]

Tell = Callable[[str], None]

# A workflow may start before its message's sender has heard from the broker where the message lies.
_HEARD_WITHIN = 5.0


@dataclass
class ScenarioContext:
    """One story in a sandbox; all of it lives on one event loop."""

    sandbox: Sandbox
    kafka: KafkaClient
    tell: Tell
    request_store: RequestStore = field(default_factory=RequestStore)
    event_log: EventLog = field(default_factory=EventLog)
    knowledge: Knowledge = field(init=False)
    runs: Runs = field(init=False)

    def __post_init__(self) -> None:
        self.knowledge = Knowledge(self.sandbox.database)
        self.runs = Runs(self.knowledge, self.request_store)
        self._numbers = itertools.count(1)

    def index_url(self, index: str = PYPI) -> str:
        """Give the URL under which the graph and all messages know an index."""
        return self.sandbox.index.index_url(index)

    def where(self, release: Release) -> Where:
        """Give a release by the URL of its index."""
        return Where(release.name, release.version, self.index_url(release.index))

    def new_job(self, prefix: str) -> str:
        """Give an id for a job, as user-api does when it takes a request."""
        return job_id(prefix, next(self._numbers), f"{datetime.now(timezone.utc):%y%m%d%H%M%S}")

    async def act(self, scenario: int, message: Outgoing) -> None:
        """Let an actor send a message that nothing in the story has led to."""
        self.tell(f"{message.sender} sends {message.short_name}: {self._shown(subject_of_message(message))}")
        await self.send(scenario, message)

    async def send(self, scenario: int, message: Outgoing) -> None:
        """Send a message and note where it lies."""
        written = await self.kafka.send(self.sandbox.topic(message.base_name), message.content)
        place = (written.topic, written.partition, written.offset)
        self.event_log.note(Sent(scenario, message, place, written.timestamp / 1000))

    async def run(self, workflow: CreatedWorkflow) -> None:
        """Run a workflow of the cluster: do what it does, tell it, and send its messages.

        Raises:
            LookupError: no message of the story accounts for it, or it lacks what it needs; so the workflow fails.
        """
        cause = await self._cause(workflow)
        about = f"  {cause.message.short_name} → {self._shown(subject_of_workflow(workflow))}"
        try:
            result = await self.runs.run(workflow)
        except Exception as error:
            self.tell(f"{about}: FAILED: {type(error).__name__}: {error}")
            raise
        sends = " and ".join(dict.fromkeys(message.short_name for message in result.outgoing))
        self.tell(f"{about}: {result.told}" + (f"; sends {sends}" if sends else ""))
        for message in result.outgoing:
            await self.send(cause.scenario, message)

    def phases(self) -> dict[str, str]:
        """Give the phase of each workflow of the cluster by its name."""
        cluster = self.sandbox.cluster
        found = cluster.on_loop(lambda: [cluster.store.get(each.namespace, each.name) for each in cluster.created])
        return {workflow.record.name: workflow.phase or "Pending" for workflow in found}

    async def _cause(self, workflow: CreatedWorkflow) -> Sent:
        deadline = asyncio.get_running_loop().time() + _HEARD_WITHIN
        while (cause := self.event_log.cause(workflow)) is None:
            if asyncio.get_running_loop().time() > deadline:
                self.tell(f"  nobody asked for {workflow.kind} {workflow.name}: it names no message of the story")
                raise LookupError("no message of the story accounts for this workflow")
            await asyncio.sleep(0.02)
        return cause

    def _shown(self, subject: str) -> str:
        return short_index(subject, self.sandbox.index.url)
