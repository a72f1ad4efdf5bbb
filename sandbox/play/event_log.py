# SPDX-License-Identifier: GPL-3.0-or-later
"""The log of a run: which messages were sent, and which workflows investigator scheduled for each."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from sandbox.play.messages import Outgoing
from sandbox.workflow_store import CreatedWorkflow

__all__ = ["EventLog", "Origin", "SentMessage", "origin_of"]

Origin = tuple[str, int, int]  # topic, partition, offset

_ANNOTATION_PREFIX = "investigator.thoth-station.ninja"


@dataclass(frozen=True)
class SentMessage:
    """A message that the broker has acknowledged.

    Attributes:
        scenario: the number of the scenario that it belongs to.
        message: the message.
        origin: where it is in Kafka.
        timestamp: its timestamp in Kafka, in seconds since the epoch.
    """

    scenario: int
    message: Outgoing
    origin: Origin
    timestamp: float

    @property
    def base_name(self) -> str:
        """The base name of its topic."""
        return self.message.base_name


def origin_of(annotations: Mapping[str, str]) -> Origin | None:
    """Return the origin of the message that a workflow was scheduled for, as investigator annotates the workflow.

    None means that an annotation is absent or malformed.
    """
    names = ("topic", "partition", "offset")
    topic, partition, offset = (annotations.get(f"{_ANNOTATION_PREFIX}/{name}", "") for name in names)
    return (topic, int(partition), int(offset)) if topic and partition.isdecimal() and offset.isdecimal() else None


@dataclass
class EventLog:
    """The messages of a run by origin, in the order in which they were sent."""

    _sent: dict[Origin, SentMessage] = field(default_factory=dict)

    def add(self, sent: SentMessage) -> None:
        """Add a message."""
        self._sent[sent.origin] = sent

    def messages(self, scenario: int | None = None) -> list[SentMessage]:
        """Return the messages of a scenario, or all messages."""
        return [sent for sent in self._sent.values() if scenario in (None, sent.scenario)]

    def cause(self, workflow: CreatedWorkflow) -> SentMessage | None:
        """Return the message that a workflow was scheduled for; None if it names no message of this run."""
        origin = origin_of(workflow.annotations)
        return None if origin is None else self._sent.get(origin)

    def counts(self, scenario: int) -> Counter[str]:
        """Count the messages of a scenario by base name."""
        return Counter(sent.base_name for sent in self.messages(scenario))

    def scheduled(self, workflows: Iterable[CreatedWorkflow], scenario: int) -> Counter[tuple[str, str]]:
        """Count the workflows of a scenario by the message's base name and the workflow's kind."""
        causes = ((self.cause(workflow), workflow.kind) for workflow in workflows)
        return Counter((cause.base_name, kind) for cause, kind in causes if cause and cause.scenario == scenario)

    def without_cause(self, workflows: Iterable[CreatedWorkflow]) -> list[CreatedWorkflow]:
        """Return the workflows that no message of this run has caused."""
        return [workflow for workflow in workflows if self.cause(workflow) is None]

    def delays(self, workflows: Iterable[CreatedWorkflow]) -> dict[str, list[float]]:
        """Return the seconds from a message's timestamp to the creation of each of its workflows, by base name."""
        delays: dict[str, list[float]] = {}
        for workflow in workflows:
            if cause := self.cause(workflow):
                delays.setdefault(cause.base_name, []).append(workflow.created - cause.timestamp)
        return delays
