# SPDX-License-Identifier: GPL-3.0-or-later
"""Guarantees that every message type keeps about fields and versions: what is refused, ignored, or counts as absent."""

import pytest

from investigator.agent import Text, Unused
from investigator.agent.message import MalformedMessageError, UnknownVersionError, fields_of
from investigator.agent.package_fields import IndexUrl, PackageName, PackageVersion
from tests.agents.conformance import EXAMPLES, MESSAGE_TYPES, every_example, fields_by_example, handled, refused
from tests.support.agent_harness import AgentHarness
from tests.support.examples import Example

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
