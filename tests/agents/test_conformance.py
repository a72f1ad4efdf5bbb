# SPDX-License-Identifier: GPL-3.0-or-later
"""What holds for every message type alike."""

import re

import pytest

from investigator.agent import MESSAGE_TYPES, Mode, Text
from investigator.agent.message import MalformedMessageError, UnknownVersionError, fields_of
from investigator.argo.kinds import WORKFLOW_KINDS
from investigator.delivery.errors import PermanentError, TemporaryError
from investigator.delivery.retry import Failure
from tests.agents.examples import EXAMPLES
from tests.support.agent_fakes import BACKEND, MIDDLETIER, FaultInjector
from tests.support.agent_harness import DEFAULT_MODES, AgentHarness

WORKERS = [(Mode.MIDDLETIER,), (Mode.BACKEND,), (Mode.METRICS,), DEFAULT_MODES, tuple(Mode)]
ALL_REQUIRED = [
    (base_name, field)
    for base_name in EXAMPLES
    for field, (_, required) in fields_of(MESSAGE_TYPES[base_name].record).items()
    if required
]

every_message_type = pytest.mark.parametrize("base_name", EXAMPLES)


async def handled(
    base_name: str, faults: FaultInjector | None = None, *, attempts: int = 1, **other: object
) -> AgentHarness:
    """Handle the example of a type, with other fields than its own if given, in a new harness; all must go well."""
    harness = AgentHarness(faults)
    assert await harness.handle(base_name, EXAMPLES[base_name].fields | other, attempts=attempts) is None
    return harness


async def refused(base_name: str, **other: object) -> Exception:
    """Give the error about an example with other fields than its own; nobody outside may have been asked."""
    harness = AgentHarness()
    failure = await harness.handle(base_name, EXAMPLES[base_name].fields | other, attempts=5)
    assert isinstance(failure, Failure)
    assert (failure.attempts, harness.faults.calls) == (1, 0)
    return failure.error


@pytest.mark.parametrize("modes", WORKERS, ids="+".join)
@every_message_type
async def test_a_message_does_what_the_modes_of_the_worker_ask_for(base_name: str, modes: tuple[Mode, ...]) -> None:
    """Each mode has its share of the work, and several modes together do all of their shares and no more."""
    example, harness = EXAMPLES[base_name], AgentHarness()

    assert await harness.handle(base_name, example.fields, modes=modes) is None

    kinds = [kind for mode in modes for kind in getattr(example, mode.value, ())]
    assert harness.kinds() == sorted(kinds)
    assert bool(harness.graph.changes) is (example.changes in {mode.value for mode in modes})


@every_message_type
async def test_workflows_go_to_the_namespace_of_their_kind(base_name: str) -> None:
    """Where thoth-common puts a workflow is where our own table says, whose pending limit counts."""
    places = {"backend": BACKEND, "middletier": MIDDLETIER}

    for workflow in (await handled(base_name)).workflows:
        assert workflow.namespace == places[WORKFLOW_KINDS[workflow.kind].namespace]


@every_message_type
async def test_ids_have_the_form_that_other_components_parse(base_name: str) -> None:
    """The prefix, the date of the message and sixteen hexadecimal digits."""
    for workflow in (await handled(base_name)).workflows:
        assert re.fullmatch(r"[a-z0-9-]+-220101000000-[0-9a-f]{16}", workflow.id)


@every_message_type
async def test_null_says_the_same_as_nothing(base_name: str) -> None:
    """Producers send null for what they leave unset."""
    example = EXAMPLES[base_name]
    absent, null = AgentHarness(), AgentHarness()

    assert await absent.handle(base_name, example.required) is None
    assert await null.handle(base_name, {**example.required, **dict.fromkeys([*example.optional, "version"])}) is None

    assert null.workflows == absent.workflows
    assert null.graph.changes == absent.graph.changes


@pytest.mark.parametrize(
    ("base_name", "version"),
    [(base_name, version) for base_name in EXAMPLES for version in MESSAGE_TYPES[base_name].versions],
)
async def test_every_version_is_understood_without_the_newer_fields(base_name: str, version: str) -> None:
    """Older producers say less, and are served all the same."""
    harness = AgentHarness()

    assert await harness.handle(base_name, {**EXAMPLES[base_name].required, "version": version}) is None

    assert harness.kinds() == (await handled(base_name)).kinds()


@every_message_type
async def test_an_unknown_version_is_refused(base_name: str) -> None:
    """What a version means that nobody knows can't be guessed; nothing is done."""
    assert isinstance(await refused(base_name, version="v0"), UnknownVersionError)


@every_message_type
async def test_unknown_fields_change_nothing(base_name: str) -> None:
    """Newer producers may say more than we know."""
    with_more = await handled(base_name, colour="blue", nested={"step": "", "kind": None})

    assert with_more.workflows == (await handled(base_name)).workflows


@pytest.mark.parametrize(("base_name", "field"), ALL_REQUIRED)
async def test_null_in_a_required_field_is_refused_by_name(base_name: str, field: str) -> None:
    """The operator learns the field's name, and the cluster is not asked."""
    error = await refused(base_name, **{field: None})

    assert isinstance(error, MalformedMessageError)
    assert error.field == field


@pytest.mark.parametrize(
    ("base_name", "field"),
    [
        (base_name, field)
        for base_name, field in ALL_REQUIRED
        if fields_of(MESSAGE_TYPES[base_name].record)[field][0] == Text
    ],
)
async def test_empty_text_in_a_field_that_a_workflow_needs_is_refused_by_name(base_name: str, field: str) -> None:
    """A template's required parameter must not be empty; the message is refused before the cluster has to do so."""
    error = await refused(base_name, **{field: ""})

    assert isinstance(error, MalformedMessageError)
    assert error.field == field


@every_message_type
async def test_a_retry_after_any_failure_does_the_rest_and_repeats_nothing(base_name: str) -> None:
    """Wherever the outside fails: in the end everything is done, each request was made once, each change once."""
    whole = await handled(base_name)

    for number in range(1, whole.faults.calls + 1):
        harness = await handled(base_name, FaultInjector(fail_at=number), attempts=2)

        assert sorted(harness.scheduler.requests) == sorted(whole.scheduler.requests)
        assert harness.scheduler.created == whole.scheduler.created
        assert harness.graph.changes == whole.graph.changes


@every_message_type
async def test_a_lost_reply_creates_nothing_twice(base_name: str) -> None:
    """A call that took effect before it failed is repeated under the same id, and flags are set to the same value."""
    whole = await handled(base_name)

    for number in range(1, whole.faults.calls + 1):
        harness = await handled(base_name, FaultInjector(fail_at=number, reply_lost=True), attempts=2)

        assert harness.scheduler.created == whole.scheduler.created
        assert set(harness.graph.changes) == set(whole.graph.changes)


@every_message_type
async def test_a_message_that_comes_again_asks_for_the_same_workflows(base_name: str) -> None:
    """After a crash the message is handled from its start, by a worker that remembers nothing."""
    harness = await handled(base_name)
    first = harness.workflows

    assert await harness.handle(base_name, EXAMPLES[base_name].fields) is None

    assert harness.workflows == first
    assert len(harness.scheduler.requests) == 2 * len(first)


@every_message_type
async def test_another_message_asks_for_workflows_of_its_own(base_name: str) -> None:
    """Two messages that say the same are two requests."""
    harness = await handled(base_name)
    first = harness.workflows

    assert await harness.handle(base_name, EXAMPLES[base_name].fields, offset=1) is None

    assert len(harness.workflows) == 2 * len(first)


@pytest.mark.parametrize("error", [TemporaryError("away"), PermanentError("refused")], ids=["temporary", "permanent"])
@every_message_type
async def test_no_failure_of_the_outside_is_swallowed(base_name: str, error: Exception) -> None:
    """What goes wrong reaches the engine, which alone decides what becomes of the message."""
    for number in range(1, (await handled(base_name)).faults.calls + 1):
        harness = AgentHarness(FaultInjector(fail_at=number, error=error))

        failure = await harness.handle(base_name, EXAMPLES[base_name].fields)

        assert failure == Failure(error, 1)


def test_every_kind_of_workflow_is_asked_for_by_some_message() -> None:
    """No row of the table of kinds is dead."""
    asked = {kind for example in EXAMPLES.values() for kind in (*example.middletier, *example.backend)}

    assert asked == set(WORKFLOW_KINDS)
