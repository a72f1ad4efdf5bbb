# SPDX-License-Identifier: GPL-3.0-or-later
"""Whatever bytes come, they end in a record or in an error that nobody tries again."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from investigator.agent.message import MalformedMessageError, parse
from investigator.delivery.errors import PermanentError
from tests.support.sample_record import WHOLE, Door, json_values, read, refusal


@pytest.mark.parametrize(
    ("value", "why"),
    [
        (b"", "the value is not JSON: Expecting value at character 0"),
        (b"\xff{}", "the value is not UTF-8: invalid start byte at byte 0"),
        (b"\xef\xbb\xbf{}", "the value is not JSON: Expecting value at character 0"),
        (b'{"name": "front"', "the value is not JSON: Expecting ',' delimiter at character 16"),
        (b"null", "the value is not a JSON object but null"),
        (b"[{}]", "the value is not a JSON object but an array"),
        (b'"{}"', "the value is not a JSON object but a string"),
        (b"true", "the value is not a JSON object but a boolean"),
        (b"12", "the value is not a JSON object but a number"),
        (b'{"doors": NaN}', "the value holds NaN, which is not JSON"),
        (b'{"doors": -Infinity}', "the value holds -Infinity, which is not JSON"),
        (b'{"name": "front", "name": "back"}', "the field 'name' stands twice in one object"),
        (b'{"extras": {"a": 1, "a": 1}}', "the field 'a' stands twice in one object"),
        (b"[" * 100_000, "the value is nested too deeply"),
        (b'{"a":' * 100_000, "the value is nested too deeply"),
    ],
)
def test_what_is_no_json_object_is_refused_with_its_reason(value: bytes, why: str) -> None:
    """Any bytes end in an error that says what is wrong with them."""
    assert str(refusal(value)) == why


def test_a_tombstone_is_refused() -> None:
    """A message without a value asks for nothing that could be done."""
    with pytest.raises(MalformedMessageError, match="tombstone"):
        parse(Door, "house.door", ("v1",), None)


@pytest.mark.parametrize(
    ("raw", "why"),
    [
        (b'"\\ud800"', "holds half of a surrogate pair"),
        (b'{"\\udc00": 1}', "holds half of a surrogate pair"),
        (b"1e999", "holds a number that is out of range"),
        (b"1" + b"0" * 400, "holds a number that is out of range"),
    ],
)
def test_what_no_workflow_could_be_given_is_refused(raw: bytes, why: str) -> None:
    """Text and numbers that JSON can spell but nothing behind us can hold are found before any work is scheduled."""
    value = json.dumps({**WHOLE, "extras": {"here": 0}}).encode().replace(b'"here": 0', b'"here": ' + raw)

    assert str(refusal(value)) == f"field 'extras': {why}"


@pytest.mark.parametrize("depth", [10, 300, 900, 990, 1_000, 5_000])
def test_depth_ends_in_a_record_or_a_refusal(depth: int) -> None:
    """However deep the nesting, nothing but a PermanentError comes out."""
    value = json.dumps({**WHOLE, "extras": {"here": 0}}).encode()
    deep = value.replace(b'"here": 0', b'"here": ' + b"[" * depth + b"]" * depth)
    try:
        read(deep)
    except PermanentError as error:
        assert "nested too deeply" in str(error)  # noqa: PT017  (either end is right)


@given(st.binary(max_size=200))
def test_any_bytes_end_in_a_record_or_a_permanent_error(value: bytes) -> None:
    """No input whatever can raise anything that the engine would have to retry."""
    try:
        read(value)
    except PermanentError:
        return


@given(st.dictionaries(st.sampled_from([*WHOLE, "label"]) | st.text(), json_values))
def test_any_json_object_ends_in_a_record_or_a_permanent_error(content: dict[str, Any]) -> None:
    """The same for every JSON object, whatever its fields hold."""
    try:
        read(content)
    except PermanentError:
        return


@given(st.sampled_from([key for key in WHOLE if key != "version"]), json_values)
def test_a_field_with_any_content_ends_in_a_record_or_an_error_about_that_field(field: str, content: object) -> None:
    """A single wrong field is the one that the error names, so that the operator looks in the right place."""
    try:
        read({**WHOLE, field: content})
    except MalformedMessageError as error:
        about = (error.field or "").split(".")[0]
        assert about == field or error.field is None  # noqa: PT017  (a NaN is refused before the fields are looked at)


@given(st.dictionaries(st.text().filter(lambda key: key not in {*WHOLE, "label"}), json_values))
def test_unknown_fields_change_nothing(extras: dict[str, Any]) -> None:
    """A newer producer that says more is understood as far as we know its words."""
    sendable = json.loads(json.dumps(extras), parse_constant=lambda name: name)

    assert read({**WHOLE, **sendable}).asdict() == read(WHOLE).asdict()
