# SPDX-License-Identifier: GPL-3.0-or-later
import pytest

from sandbox.play.event_log import EventLog, SentMessage, origin_of
from sandbox.play.messages import Outgoing
from tests.sandbox.play.fake_knowledge import ANNOTATION_PREFIX, scheduled, workflow

RELEASED = "thoth.package-release.package-released"
TOPIC = f"sandbox.{RELEASED}"


@pytest.fixture
def event_log() -> EventLog:
    """A log with one message of scenario 1, at offset 1, and one of scenario 2, at offset 2."""
    event_log = EventLog()
    for scenario in (1, 2):
        message = Outgoing(RELEASED, "package-release", {})
        event_log.add(SentMessage(scenario, message, (TOPIC, 0, scenario), timestamp=100.0))
    return event_log


def test_the_annotations_of_a_workflow_identify_its_message(event_log: EventLog) -> None:
    """The annotations are topic, partition and offset."""
    cause = event_log.cause(scheduled("solver", TOPIC, 0, 2))
    assert cause is not None
    assert cause.scenario == 2


@pytest.mark.parametrize(
    "annotations",
    [
        {},
        {f"{ANNOTATION_PREFIX}/topic": TOPIC},
        {
            f"{ANNOTATION_PREFIX}/topic": TOPIC,
            f"{ANNOTATION_PREFIX}/partition": "x",
            f"{ANNOTATION_PREFIX}/offset": "1",
        },
    ],
)
def test_absent_or_malformed_annotations_have_no_origin(annotations: dict[str, str]) -> None:
    """The workflow is then reported as one that no message caused."""
    assert origin_of(annotations) is None


def test_messages_and_workflows_are_counted_by_scenario(event_log: EventLog) -> None:
    """A workflow belongs to the scenario of its message."""
    workflows = [
        scheduled("solver", TOPIC, 0, 1),
        scheduled("solver", TOPIC, 0, 1),
        scheduled("revsolver", TOPIC, 0, 2),
    ]
    assert event_log.counts(1) == {RELEASED: 1}
    assert event_log.scheduled(workflows, 1) == {(RELEASED, "solver"): 2}
    assert event_log.scheduled(workflows, 2) == {(RELEASED, "revsolver"): 1}
    assert len(event_log.messages()) == 2


def test_a_workflow_that_no_message_caused_is_reported(event_log: EventLog) -> None:
    """Such a workflow makes the run fail."""
    unexpected = workflow("solver", "unexpected")
    assert event_log.without_cause([scheduled("solver", TOPIC, 0, 1), unexpected]) == [unexpected]


def test_the_delay_is_the_time_from_the_message_to_its_workflow(event_log: EventLog) -> None:
    """The delay is the workflow's creation time minus the message's timestamp, in seconds."""
    workflows = [scheduled("solver", TOPIC, 0, 1, created=100.5), scheduled("solver", TOPIC, 0, 2, created=101.0)]
    assert event_log.delays(workflows) == {RELEASED: [0.5, 1.0]}
