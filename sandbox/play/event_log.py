# SPDX-License-Identifier: GPL-3.0-or-later
"""The record of a story: which messages were sent, and which workflows investigator scheduled for each."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from sandbox.play.messages import Outgoing
from sandbox.workflow_store import CreatedWorkflow

__all__ = ["EventLog", "Place", "Sent", "place_of"]

Place = tuple[str, int, int]  # topic, partition, offset

_MARKS = "investigator.thoth-station.ninja"


@dataclass(frozen=True)
class Sent:
    """A message that the broker has."""

    scenario: int
    message: Outgoing
    place: Place
    timestamp: float  # when it was sent, in seconds since the epoch, as Kafka keeps it

    @property
    def base_name(self) -> str:
        """The base name of its topic."""
        return self.message.base_name


def place_of(annotations: Mapping[str, str]) -> Place | None:
    """Tell which message a workflow was scheduled for, by what investigator has noted on it; None where nothing is."""
    topic, partition, offset = (annotations.get(f"{_MARKS}/{name}", "") for name in ("topic", "partition", "offset"))
    return (topic, int(partition), int(offset)) if topic and partition.isdecimal() and offset.isdecimal() else None


@dataclass
class EventLog:
    """All messages by their place in Kafka, in the order in which they were sent."""

    _sent: dict[Place, Sent] = field(default_factory=dict)

    def note(self, sent: Sent) -> None:
        """Add a message."""
        self._sent[sent.place] = sent

    def messages(self, scenario: int | None = None) -> list[Sent]:
        """Give the messages of a scenario, or all of them."""
        return [sent for sent in self._sent.values() if scenario in (None, sent.scenario)]

    def cause(self, workflow: CreatedWorkflow) -> Sent | None:
        """Give the message that a workflow was scheduled for; None where it names none of the story's."""
        place = place_of(workflow.annotations)
        return None if place is None else self._sent.get(place)

    def counts(self, scenario: int) -> Counter[str]:
        """Count the messages of a scenario by base name."""
        return Counter(sent.base_name for sent in self.messages(scenario))

    def scheduled(self, workflows: Iterable[CreatedWorkflow], scenario: int) -> Counter[tuple[str, str]]:
        """Count the workflows of a scenario by base name of the message and kind."""
        causes = ((self.cause(workflow), workflow.kind) for workflow in workflows)
        return Counter((cause.base_name, kind) for cause, kind in causes if cause and cause.scenario == scenario)

    def strays(self, workflows: Iterable[CreatedWorkflow]) -> list[CreatedWorkflow]:
        """Give the workflows that no message of the story accounts for."""
        return [workflow for workflow in workflows if self.cause(workflow) is None]

    def delays(self, workflows: Iterable[CreatedWorkflow]) -> dict[str, list[float]]:
        """Give the seconds from a message's timestamp to the creation of each workflow for it, by base name."""
        delays: dict[str, list[float]] = {}
        for workflow in workflows:
            if cause := self.cause(workflow):
                delays.setdefault(cause.base_name, []).append(workflow.created - cause.timestamp)
        return delays
