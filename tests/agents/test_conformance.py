# SPDX-License-Identifier: GPL-3.0-or-later
"""Guarantees that every message type has to keep, checked with the examples that the test of each type declares."""

import inspect
import re
import sys

import pytest

from investigator.agent import Mode, PermanentError, TemporaryError
from investigator.agent.message import fields_of
from investigator.argo.kinds import WORKFLOW_KINDS
from investigator.delivery.retry import Failure
from tests.agents.conformance import EXAMPLES, EXAMPLES_BY_TYPE, MESSAGE_TYPES, every_example, handled
from tests.support.agent_fakes import BACKEND, MIDDLETIER, FaultInjector
from tests.support.agent_harness import DEFAULT_MODES, SOLVERS, AgentHarness
from tests.support.examples import Example

WORKERS = [(Mode.MIDDLETIER,), (Mode.BACKEND,), (Mode.METRICS,), DEFAULT_MODES, tuple(Mode)]
COMMON_FIELDS = {"component_name", "service_version", "version"}
every_message_type = pytest.mark.parametrize("base_name", MESSAGE_TYPES)


@every_message_type
def test_a_message_type_has_an_example(base_name: str) -> None:
    """Without one, none of the guarantees below would be checked for the type."""
    module = MESSAGE_TYPES[base_name].record.__module__.rsplit(".", 1)[-1]

    assert EXAMPLES_BY_TYPE[base_name], (
        f"{base_name} has no example: declare EXAMPLE = Example({base_name!r}, ...) in tests/agents/test_{module}.py"
    )


@every_message_type
def test_the_examples_of_a_type_set_all_of_its_fields(base_name: str) -> None:
    """A field that no example sets would be left out of these tests."""
    own = fields_of(MESSAGE_TYPES[base_name].record).keys() - COMMON_FIELDS

    assert {name for example in EXAMPLES_BY_TYPE[base_name] for name in example.fields} == own


@every_message_type
def test_a_message_type_is_documented(base_name: str) -> None:
    """The reference pages quote the docstrings of the module, the record and the handlers."""
    message_type = MESSAGE_TYPES[base_name]
    texts = {
        "module": sys.modules[message_type.record.__module__].__doc__,
        "record": vars(message_type.record).get("__doc__"),
        **{f"handler of mode {mode}": inspect.getdoc(handler) for mode, handler in message_type.handlers.items()},
    }

    assert [name for name, text in texts.items() if not str(text or "").strip().endswith(".")] == []


@pytest.mark.parametrize("modes", WORKERS, ids="+".join)
@every_example
async def test_each_mode_of_a_worker_has_the_effects_of_the_example(example: Example, modes: tuple[Mode, ...]) -> None:
    """A worker with several modes has the effects of each of them, and no others."""
    harness = AgentHarness()

    assert await harness.handle(example.base_name, example.fields, modes=modes) is None

    assert harness.kinds() == example.kinds(modes, len(SOLVERS))
    assert bool(harness.graph.changes) is any(mode in example.changes_graph_in for mode in modes)


@every_example
async def test_workflows_are_created_in_the_namespace_of_their_kind(example: Example) -> None:
    """thoth-common chooses the namespace; the pending limit is that of the namespace in WORKFLOW_KINDS."""
    namespaces = {"backend": BACKEND, "middletier": MIDDLETIER}

    for workflow in (await handled(example)).workflows:
        assert workflow.namespace == namespaces[WORKFLOW_KINDS[workflow.kind].namespace]


@every_example
async def test_derived_ids_have_the_form_that_other_components_parse(example: Example) -> None:
    """A prefix, the timestamp of the message and sixteen hexadecimal digits."""
    for workflow in (await handled(example)).workflows:
        assert re.fullmatch(r"[a-z0-9-]+-220101000000-[0-9a-f]{16}", workflow.id)


@every_example
async def test_a_retry_completes_the_work_and_repeats_nothing(example: Example) -> None:
    """Whichever call fails: after the second attempt each request and each change was made exactly once."""
    whole = await handled(example)

    for number in range(1, whole.faults.calls + 1):
        harness = await handled(example, FaultInjector(fail_at=number), attempts=2)

        assert sorted(harness.scheduler.requests) == sorted(whole.scheduler.requests)
        assert harness.scheduler.created == whole.scheduler.created
        assert harness.graph.changes == whole.graph.changes


@every_example
async def test_a_lost_reply_creates_nothing_twice(example: Example) -> None:
    """A call that took effect before it failed is repeated with the same id, or sets the same flag again."""
    whole = await handled(example)

    for number in range(1, whole.faults.calls + 1):
        harness = await handled(example, FaultInjector(fail_at=number, reply_lost=True), attempts=2)

        assert harness.scheduler.created == whole.scheduler.created
        assert set(harness.graph.changes) == set(whole.graph.changes)


@every_example
async def test_a_redelivered_message_requests_the_same_workflows(example: Example) -> None:
    """After a crash the message is handled from its start, without the results of earlier attempts."""
    harness = await handled(example)
    first = harness.workflows

    assert await harness.handle(example.base_name, example.fields) is None

    assert harness.workflows == first
    assert len(harness.scheduler.requests) == 2 * len(first)


@every_example
async def test_another_message_with_the_same_fields_gets_workflows_of_its_own(example: Example) -> None:
    """Two messages are two requests."""
    harness = await handled(example)
    first = harness.workflows

    assert await harness.handle(example.base_name, example.fields, offset=1) is None

    assert len(harness.workflows) == 2 * len(first)


@pytest.mark.parametrize(
    "error", [TemporaryError("unavailable"), PermanentError("refused")], ids=["temporary", "permanent"]
)
@every_example
async def test_handlers_swallow_no_error(example: Example, error: Exception) -> None:
    """The error of every call reaches the worker, which alone decides what happens to the message."""
    for number in range(1, (await handled(example)).faults.calls + 1):
        harness = AgentHarness(FaultInjector(fail_at=number, error=error))

        failure = await harness.handle(example.base_name, example.fields)

        assert failure == Failure(error, 1)


def test_every_kind_of_workflow_is_scheduled_by_some_message_type() -> None:
    """WORKFLOW_KINDS has no unused entry."""
    scheduled = {kind for example in EXAMPLES for kind in example.kinds(Mode, solvers=1)}

    assert scheduled == set(WORKFLOW_KINDS)
