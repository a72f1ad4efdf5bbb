# SPDX-License-Identifier: GPL-3.0-or-later
import json
import traceback
from collections.abc import Mapping
from typing import Any, ClassVar

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from typing_extensions import TypedDict

from investigator.delivery.errors import PermanentError
from investigator.records import (
    MalformedMessageError,
    Message,
    SecretStr,
    Text,
    UnknownVersionError,
    fields_of,
    parse,
    reveal,
)


class Lock(TypedDict, total=False):
    """An object with fields of its own."""

    key: int | None


class Door(Message, serializer="json"):
    """A record with a field of every kind that the messages of Thoth have."""

    name: Text
    wide: bool = False
    doors: int | None = None
    tags: list[str] = []  # noqa: RUF012  (a Faust record copies no default, and nobody changes this one)
    lock: Lock | None = None
    extras: dict[str, Any] | None = None
    code: SecretStr | None = None

    aliases: ClassVar[Mapping[str, str]] = {"label": "name"}


WHOLE = {
    "component_name": "house",
    "service_version": "1.2.3",
    "version": "v2",
    "name": "front",
    "wide": True,
    "doors": 2,
    "tags": ["oak", "old"],
    "lock": {"key": 7},
    "extras": {"any": [1, None, {"thing": 1.5}]},
    "code": "open sesame",
}
LEAST = {"component_name": "house", "service_version": "1.2.3", "name": "front"}

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


def read(content: Any) -> Door:  # noqa: ANN401  (any JSON value)
    """Parse a value, or any JSON content, as a door."""
    value = content if isinstance(content, bytes) else json.dumps(content).encode()
    return parse(Door, "house.door", ("v1", "v2"), value)


def refusal(content: Any) -> PermanentError:  # noqa: ANN401  (any JSON value)
    """Parse what must be refused, and give the error."""
    with pytest.raises(PermanentError) as caught:
        read(content)
    return caught.value


def test_a_message_keeps_every_field_that_it_brings() -> None:
    """Whatever a producer says in a declared field reaches the handler unchanged."""
    door = read(WHOLE)

    assert door.asdict() | {"code": reveal(door.code)} == WHOLE


def test_fields_that_are_absent_or_null_take_their_defaults() -> None:
    """A producer that sends null for what it does not set says the same as one that leaves it out."""
    nulls = dict.fromkeys(["version", "wide", "doors", "tags", "lock", "extras", "code"])

    assert read({**LEAST, **nulls}).asdict() == read(LEAST).asdict()
    assert read(LEAST).version == "v1"


def test_null_in_a_required_field_is_refused_by_name() -> None:
    """A required field is not made up: null is as wrong as any other value of a wrong type."""
    error = refusal({**LEAST, "name": None})

    assert isinstance(error, MalformedMessageError)
    assert (error.field, error.message) == ("name", "field 'name': Input should be a valid string")


def test_required_text_that_is_empty_is_refused_by_name() -> None:
    """The cluster refuses an empty parameter; the operator learns it with the field's name instead."""
    assert str(refusal({**LEAST, "name": ""})) == "field 'name': String should have at least 1 character"


def test_a_missing_field_is_named() -> None:
    """Each field that lacks is told, so that the producer can be put right at once."""
    error = refusal({"service_version": "1.2.3"})

    assert str(error) == "field 'component_name': Field required; field 'name': Field required"


@pytest.mark.parametrize(
    ("field", "content"),
    [
        ("name", 3),
        ("name", ["front"]),
        ("wide", 1),
        ("wide", "true"),
        ("doors", "2"),
        ("doors", 2.0),
        ("doors", True),
        ("doors", 10**30),
        ("tags", "oak"),
        ("tags", {"oak": 1}),
        ("extras", []),
        ("lock", 7),
        ("code", 1234),
        ("version", 2),
        ("component_name", None),
    ],
)
def test_nothing_is_coerced(field: str, content: object) -> None:
    """A value of another type than declared is refused, never turned into one that happens to fit."""
    error = refusal({**WHOLE, field: content})

    assert isinstance(error, MalformedMessageError)
    assert error.field == field


def test_the_place_of_a_mistake_inside_a_field_is_named() -> None:
    """In lists and objects the culprit is named down to its place."""
    assert refusal({**WHOLE, "tags": ["oak", 3]}).args == ("field 'tags.1': Input should be a valid string",)
    assert refusal({**WHOLE, "lock": {"key": "7"}}).args == ("field 'lock.key': Input should be a valid integer",)


def test_an_error_stays_short_however_much_is_wrong() -> None:
    """The error fits into a log line and a header, also where a million items are wrong."""
    told = str(refusal({**WHOLE, "tags": list(range(100_000))}))

    assert told.endswith("field 'tags.4': Input should be a valid string; and 99995 more")
    assert len(told) < 400


def test_an_unknown_version_is_told_apart() -> None:
    """Nobody guesses at a version that no handler knows; the error carries it for the metric."""
    error = refusal({**WHOLE, "version": "v3", "name": 3})

    assert isinstance(error, UnknownVersionError)
    assert (error.version, str(error)) == ("v3", "no handler for version 'v3' of house.door")


def test_the_older_name_of_a_field_is_understood() -> None:
    """What an older producer says under the field's older name counts, but not against today's name."""
    older = {**{key: content for key, content in LEAST.items() if key != "name"}, "label": "back"}

    assert read(older).name == "back"
    assert read({**older, "name": None}).name == "back"
    assert read({**older, "name": "front"}).name == "front"


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


@given(
    st.text(alphabet="abcdefgh0123456789", min_size=12),
    st.sampled_from([key for key in WHOLE if key != "code"]),
    json_values,
)
def test_no_password_shows_in_an_error_or_a_record(password: str, field: str, content: object) -> None:
    """Whether the message is accepted or refused, its password is in no text that may reach a log or a page."""
    assume(password not in repr(content))
    try:
        shown = repr(read({**WHOLE, "code": password, field: content}))
    except PermanentError as error:
        shown = f"{error} {error!r} {error.__cause__!r} {error.__context__ if not error.__suppress_context__ else ''}"
    assert password not in shown


@pytest.mark.parametrize("password", [["pass", "word"], {"text": "password"}, 1234567890123])
def test_a_password_of_a_wrong_type_does_not_show_either(password: object) -> None:
    """The error names the field and the rule, never the value."""
    assert str(refusal({**WHOLE, "code": password})) == "field 'code': Input should be a valid string"


@pytest.mark.parametrize("damage", [b"\xff", b",,", b"\x00", b"[" * 100_000, b"NaN", b'"name": 1, "name": 2'])
def test_no_password_shows_where_the_value_is_damaged(damage: bytes) -> None:
    """Nor is it in anything that the chain of an error about the whole value shows."""
    value = json.dumps({"code": "open sesame", **LEAST}).encode()

    error = refusal(value[:-1] + b"," + damage + b"}")

    assert "sesame" not in "".join(traceback.format_exception(error))
    assert "sesame" not in repr((error, error.__cause__))


def test_the_fields_of_a_record_tell_their_types_and_which_are_required() -> None:
    """Documents about the messages are made from the records themselves."""
    fields = fields_of(Door)

    assert [name for name, (_, required) in fields.items() if required] == ["component_name", "service_version", "name"]
    assert fields["doors"] == (int | None, False)


def test_the_contents_of_a_message_are_its_own_fields() -> None:
    """What is handed on to a workflow holds neither the common fields nor those that are left out by name."""
    assert list(read(WHOLE).contents(without=["tags", "lock", "extras", "code"])) == ["name", "wide", "doors"]


def test_an_absent_secret_reveals_none() -> None:
    """The one way to a secret's text copes with a message that has no secret."""
    assert reveal(None) is None
    assert reveal(SecretStr("open sesame")) == "open sesame"
