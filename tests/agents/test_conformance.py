# SPDX-License-Identifier: GPL-3.0-or-later
"""Guarantees that every message type has to keep, checked with the examples that the test of each type declares."""

import inspect
import re
import sys

import pytest

from investigator.agent import Mode, PermanentError, TemporaryError, Text, Unused
from investigator.agent.message import MalformedMessageError, UnknownVersionError, fields_of
from investigator.agent.package_fields import IndexUrl, PackageName, PackageVersion
from investigator.app import load_message_types
from investigator.argo.kinds import WORKFLOW_KINDS
from investigator.delivery.retry import Failure
from tests.support.agent_fakes import BACKEND, MIDDLETIER, FaultInjector
from tests.support.agent_harness import DEFAULT_MODES, SOLVERS, AgentHarness
from tests.support.examples import Example, load_examples

MESSAGE_TYPES = load_message_types()
EXAMPLES_BY_TYPE = load_examples()
EXAMPLES = [example for examples in EXAMPLES_BY_TYPE.values() for example in examples]
WORKERS = [(Mode.MIDDLETIER,), (Mode.BACKEND,), (Mode.METRICS,), DEFAULT_MODES, tuple(Mode)]
COMMON_FIELDS = {"component_name", "service_version", "version"}

every_message_type = pytest.mark.parametrize("base_name", MESSAGE_TYPES)
every_example = pytest.mark.parametrize("example", EXAMPLES, ids=str)


def fields_by_example(*kinds: object) -> list[tuple[Example, str]]:
    """Return every required field of every example's record, or only the fields of some kinds."""
    return [
        (example, field)
        for example in EXAMPLES
        for field, (of_kind, required) in fields_of(MESSAGE_TYPES[example.base_name].record).items()
        if required and (not kinds or of_kind in kinds) and of_kind is not Unused
    ]


every_unused_field = pytest.mark.parametrize(
    ("example", "field"),
    [
        (example, field)
        for example in EXAMPLES
        for field, (kind, _) in fields_of(MESSAGE_TYPES[example.base_name].record).items()
        if kind is Unused
    ],
    ids=str,
)


async def handled(
    example: Example, faults: FaultInjector | None = None, *, attempts: int = 1, **other: object
) -> AgentHarness:
    """Handle an example, with other fields if given, in a new harness; all handlers must succeed."""
    harness = AgentHarness(faults)
    assert await harness.handle(example.base_name, example.fields | other, attempts=attempts) is None
    return harness


async def refused(example: Example, **other: object) -> Exception:
    """Return the error about an example with other fields; it must be permanent, and no service be called."""
    harness = AgentHarness()
    failure = await harness.handle(example.base_name, example.fields | other, attempts=5)
    assert isinstance(failure, Failure)
    assert (failure.attempts, harness.faults.calls) == (1, 0)
    return failure.error


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
async def test_null_in_an_optional_field_counts_as_absent(example: Example) -> None:
    """Producers send null for fields that they do not set."""
    absent, null = AgentHarness(), AgentHarness()
    nulls = dict.fromkeys([*example.optional, "version"])

    assert await absent.handle(example.base_name, example.required) is None
    assert await null.handle(example.base_name, {**example.required, **nulls}) is None

    assert null.workflows == absent.workflows
    assert null.graph.changes == absent.graph.changes


@pytest.mark.parametrize(
    ("example", "version"),
    [(example, version) for example in EXAMPLES for version in MESSAGE_TYPES[example.base_name].versions],
    ids=str,
)
async def test_every_version_is_handled_without_the_optional_fields(example: Example, version: str) -> None:
    """Older producers send fewer fields; the same kinds of workflows are scheduled."""
    harness = AgentHarness()

    assert await harness.handle(example.base_name, {**example.required, "version": version}) is None

    assert harness.kinds() == (await handled(example)).kinds()


@every_example
async def test_an_unknown_version_is_refused(example: Example) -> None:
    """The worker does not guess the meaning of a version that no handler declares."""
    assert isinstance(await refused(example, version="v0"), UnknownVersionError)


@every_example
async def test_unknown_fields_are_ignored(example: Example) -> None:
    """Newer producers may send more fields."""
    with_more = await handled(example, colour="blue", nested={"step": "", "kind": None})

    assert with_more.workflows == (await handled(example)).workflows


@every_unused_field
async def test_a_field_that_no_handler_uses_takes_any_value(example: Example, field: str) -> None:
    """A producer's mistake in it must not halt the topic."""
    odd: object
    for odd in ("text", 7, None, ["x"], {"x": 1}, True):
        assert await AgentHarness().handle(example.base_name, {**example.fields, field: odd}) is None


@pytest.mark.parametrize(("example", "field"), fields_by_example(), ids=str)
async def test_null_in_a_required_field_is_refused_by_field_name(example: Example, field: str) -> None:
    """The error names the field, and no service is called."""
    error = await refused(example, **{field: None})

    assert isinstance(error, MalformedMessageError)
    assert error.field == field


@pytest.mark.parametrize(("example", "field"), fields_by_example(Text, IndexUrl, PackageName, PackageVersion), ids=str)
async def test_empty_text_in_a_field_of_type_text_is_refused_by_field_name(example: Example, field: str) -> None:
    """The cluster would refuse a template whose required parameter is empty."""
    error = await refused(example, **{field: ""})

    assert isinstance(error, MalformedMessageError)
    assert error.field == field


@pytest.mark.parametrize(
    "url",
    [
        "https://user:password@pypi.org/simple",
        "https://token@pypi.org/simple",
        "https://pypi.org/simple,https://example.com/simple",
        "https://pypi.org/simple https://example.com/simple",
        "ftp://pypi.org/simple",
        "file:///simple",
        "pypi.org/simple",
        "https:///simple",
        "https://pypi.org:port/simple",
        "https://[pypi.org/simple",
    ],
)
@pytest.mark.parametrize(("example", "field"), fields_by_example(IndexUrl), ids=str)
async def test_an_invalid_index_url_is_refused_by_field_name(example: Example, field: str, url: str) -> None:
    """A workflow would get two indexes, or a password; the error does not quote the URL."""
    error = await refused(example, **{field: url})

    assert isinstance(error, MalformedMessageError)
    assert error.field == field
    assert url not in str(error)


@pytest.mark.parametrize("name", ["-flask", "flask_", "flask[async]", "flask==1", "fl ask", "flask\n", "flåsk"])
@pytest.mark.parametrize(("example", "field"), fields_by_example(PackageName), ids=str)
async def test_an_invalid_package_name_is_refused_by_field_name(example: Example, field: str, name: str) -> None:
    """PEP 508 allows ASCII letters, digits, and ``.``, ``-`` and ``_`` between them."""
    error = await refused(example, **{field: name})

    assert isinstance(error, MalformedMessageError)
    assert error.field == field


@pytest.mark.parametrize(
    "version", ["latest", "*", "==1.0", ">=1", "1.0 ", "1.0,2.0", pytest.param("1" * 5000, id="long")]
)
@pytest.mark.parametrize(("example", "field"), fields_by_example(PackageVersion), ids=str)
async def test_an_invalid_version_is_refused_by_field_name(example: Example, field: str, version: str) -> None:
    """Only a message about unresolved packages may select several versions."""
    error = await refused(example, **{field: version})

    assert isinstance(error, MalformedMessageError)
    assert error.field == field


@pytest.mark.parametrize(("example", "field"), fields_by_example(IndexUrl), ids=str)
async def test_workflows_get_the_registered_spelling_of_the_index(example: Example, field: str) -> None:
    """A workflow with another spelling would add the same index to the graph again."""
    harness = AgentHarness()

    fields = {**example.fields, field: f"{example.fields[field]}/"}
    assert await harness.handle(example.base_name, fields) is None

    expected = [workflow.parameters for workflow in (await handled(example)).workflows]
    assert [workflow.parameters for workflow in harness.workflows] == expected


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
