# SPDX-License-Identifier: GPL-3.0-or-later
"""Parsing any bytes returns a record or raises a PermanentError."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from investigator.agent.message import MalformedMessageError, parse
from investigator.delivery.errors import PermanentError
from tests.support.sample_record import ALL_FIELDS, Sample, json_values, read, refusal


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (b"", "the value is not JSON: Expecting value at character 0"),
        (b"\xff{}", "the value is not UTF-8: invalid start byte at byte 0"),
        (b"\xef\xbb\xbf{}", "the value is not JSON: Expecting value at character 0"),
        (b'{"name": "flask"', "the value is not JSON: Expecting ',' delimiter at character 16"),
        (b"null", "the value is not a JSON object but null"),
        (b"[{}]", "the value is not a JSON object but an array"),
        (b'"{}"', "the value is not a JSON object but a string"),
        (b"true", "the value is not a JSON object but a boolean"),
        (b"12", "the value is not a JSON object but a number"),
        (b'{"count": NaN}', "the value holds NaN, which is not JSON"),
        (b'{"count": -Infinity}', "the value holds -Infinity, which is not JSON"),
        (b'{"name": "flask", "name": "django"}', "the field 'name' occurs twice in one object"),
        (b'{"extras": {"a": 1, "a": 1}}', "the field 'a' occurs twice in one object"),
        (b"[" * 100_000, "the value is nested too deeply: more than 200 levels"),
        (b'{"a":' * 100_000, "the value is nested too deeply: more than 200 levels"),
    ],
)
def test_a_value_that_is_not_a_json_object_is_refused_with_the_reason(value: bytes, reason: str) -> None:
    """The operator sees the reason in the log and on the status page."""
    assert str(refusal(value)) == reason


def test_a_tombstone_is_refused() -> None:
    """A message without a value has no fields."""
    with pytest.raises(MalformedMessageError, match="tombstone"):
        parse(Sample, "test.sample", ("v1",), None)


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (b'"\\ud800"', "holds half of a surrogate pair"),
        (b'{"\\udc00": 1}', "holds half of a surrogate pair"),
        (b"1e999", "holds a number that is out of range"),
        (b"1" + b"0" * 400, "holds a number that is out of range"),
    ],
)
def test_values_that_no_workflow_parameter_can_hold_are_refused(raw: bytes, reason: str) -> None:
    """JSON can express them, but they would fail later, in the cluster or the database."""
    value = json.dumps({**ALL_FIELDS, "extras": {"here": 0}}).encode().replace(b'"here": 0', b'"here": ' + raw)

    assert str(refusal(value)) == f"field 'extras': {reason}"


@pytest.mark.parametrize("depth", [10, 190, 201, 300, 900, 990, 1_000, 5_000])
def test_deeply_nested_values_are_read_or_refused(depth: int) -> None:
    """No depth raises another error, such as a RecursionError."""
    value = json.dumps({**ALL_FIELDS, "extras": {"here": 0}}).encode()
    deep = value.replace(b'"here": 0', b'"here": ' + b"[" * depth + b"]" * depth)
    try:
        read(deep)
    except PermanentError as error:
        assert "nested too deeply" in str(error)  # noqa: PT017  (both results are right)


@given(st.binary(max_size=200))
def test_any_bytes_end_in_a_record_or_a_permanent_error(value: bytes) -> None:
    """No input raises an error that the worker would retry."""
    try:
        read(value)
    except PermanentError:
        return


@given(st.dictionaries(st.sampled_from([*ALL_FIELDS, "label"]) | st.text(), json_values))
def test_any_json_object_ends_in_a_record_or_a_permanent_error(content: dict[str, Any]) -> None:
    """No JSON object raises another error."""
    try:
        read(content)
    except PermanentError:
        return


@given(st.sampled_from([key for key in ALL_FIELDS if key != "version"]), json_values)
def test_any_value_of_a_field_is_read_or_refused_by_field_name(field: str, content: object) -> None:
    """The error about a single wrong field names that field."""
    try:
        read({**ALL_FIELDS, field: content})
    except MalformedMessageError as error:
        about = (error.field or "").split(".")[0]
        assert about == field or error.field is None  # noqa: PT017  (NaN is refused before the fields are checked)


@given(st.dictionaries(st.text().filter(lambda key: key not in {*ALL_FIELDS, "label"}), json_values))
def test_unknown_fields_are_ignored(extras: dict[str, Any]) -> None:
    """Newer producers may send more fields."""
    sendable = json.loads(json.dumps(extras), parse_constant=lambda name: name)

    assert read({**ALL_FIELDS, **sendable}).asdict() == read(ALL_FIELDS).asdict()
