# SPDX-License-Identifier: GPL-3.0-or-later
import pytest

from sandbox.play.event_log import EventLog, Sent, place_of
from sandbox.play.messages import Outgoing
from tests.sandbox.play.fake_workers import MARKS, scheduled, workflow

RELEASED = "thoth.package-release.package-released"
TOPIC = f"sandbox.{RELEASED}"


@pytest.fixture
def event_log() -> EventLog:
    """A chronicle of two messages, one in each of two scenarios."""
    event_log = EventLog()
    for scenario in (1, 2):
        message = Outgoing(RELEASED, "package-release", {})
        event_log.note(Sent(scenario, message, (TOPIC, 0, scenario), timestamp=100.0))
    return event_log


def test_a_workflow_leads_to_its_message(event_log: EventLog) -> None:
    """Guarantee: topic, partition and offset on a workflow name the message that it was scheduled for."""
    cause = event_log.cause(scheduled("solver", TOPIC, 0, 2))
    assert cause is not None
    assert cause.scenario == 2


@pytest.mark.parametrize(
    "annotations",
    [{}, {f"{MARKS}/topic": TOPIC}, {f"{MARKS}/topic": TOPIC, f"{MARKS}/partition": "x", f"{MARKS}/offset": "1"}],
)
def test_incomplete_marks_lead_nowhere(annotations: dict[str, str]) -> None:
    """Guarantee: what is no place is not taken for one."""
    assert place_of(annotations) is None


def test_messages_and_workflows_are_counted_by_scenario(event_log: EventLog) -> None:
    """Guarantee: a scenario is judged by its own messages and their workflows only."""
    workflows = [
        scheduled("solver", TOPIC, 0, 1),
        scheduled("solver", TOPIC, 0, 1),
        scheduled("revsolver", TOPIC, 0, 2),
    ]
    assert event_log.counts(1) == {RELEASED: 1}
    assert event_log.scheduled(workflows, 1) == {(RELEASED, "solver"): 2}
    assert event_log.scheduled(workflows, 2) == {(RELEASED, "revsolver"): 1}
    assert len(event_log.messages()) == 2


def test_a_workflow_of_no_message_is_a_stray(event_log: EventLog) -> None:
    """Guarantee: a workflow that nobody asked for does not go unnoticed."""
    stray = workflow("solver", "stray")
    assert event_log.strays([scheduled("solver", TOPIC, 0, 1), stray]) == [stray]


def test_delays_run_from_the_message_to_the_workflow(event_log: EventLog) -> None:
    """Guarantee: the delay is the workflow's creation less the message's timestamp, in seconds."""
    workflows = [scheduled("solver", TOPIC, 0, 1, created=100.5), scheduled("solver", TOPIC, 0, 2, created=101.0)]
    assert event_log.delays(workflows) == {RELEASED: [0.5, 1.0]}
