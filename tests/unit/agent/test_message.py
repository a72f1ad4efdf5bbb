# SPDX-License-Identifier: GPL-3.0-or-later
import pytest

from investigator.agent.message import MalformedMessageError, UnknownVersionError, fields_of
from investigator.settings.secrets import secret_value
from tests.support.sample_record import LEAST, WHOLE, Door, read, refusal


def test_a_message_keeps_every_field_that_it_brings() -> None:
    """Whatever a producer says in a declared field reaches the handler unchanged."""
    door = read(WHOLE)

    assert door.asdict() | {"code": secret_value(door.code)} == WHOLE


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


def test_the_fields_of_a_record_tell_their_types_and_which_are_required() -> None:
    """Documents about the messages are made from the records themselves."""
    fields = fields_of(Door)

    assert [name for name, (_, required) in fields.items() if required] == ["component_name", "service_version", "name"]
    assert fields["doors"] == (int | None, False)


def test_the_contents_of_a_message_are_its_own_fields() -> None:
    """What is handed on to a workflow holds neither the common fields nor those that are left out by name."""
    assert list(read(WHOLE).contents(without=["tags", "lock", "extras", "code"])) == ["name", "wide", "doors"]
