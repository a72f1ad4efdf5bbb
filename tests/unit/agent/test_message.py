# SPDX-License-Identifier: GPL-3.0-or-later
import pytest

from investigator.agent.message import MalformedMessageError, UnknownVersionError, fields_of
from investigator.settings.secrets import secret_value
from tests.support.sample_record import ALL_FIELDS, REQUIRED_FIELDS, Sample, read, refusal


def test_every_declared_field_is_read_unchanged() -> None:
    """The handler gets exactly the values that the producer sent."""
    sample = read(ALL_FIELDS)

    assert sample.asdict() | {"password": secret_value(sample.password)} == ALL_FIELDS


def test_fields_that_are_absent_or_null_take_their_defaults() -> None:
    """Producers send null for fields that they do not set."""
    nulls = dict.fromkeys(["version", "debug", "count", "tags", "limits", "extras", "password"])

    assert read({**REQUIRED_FIELDS, **nulls}).asdict() == read(REQUIRED_FIELDS).asdict()
    assert read(REQUIRED_FIELDS).version == "v1"


def test_null_in_a_required_field_is_refused_by_name() -> None:
    """Null is a value of a wrong type there."""
    error = refusal({**REQUIRED_FIELDS, "name": None})

    assert isinstance(error, MalformedMessageError)
    assert (error.field, error.message) == ("name", "field 'name': Input should be a valid string")


def test_empty_text_in_a_field_of_type_text_is_refused_by_name() -> None:
    """The cluster would refuse the empty parameter without naming the field."""
    assert str(refusal({**REQUIRED_FIELDS, "name": ""})) == "field 'name': String should have at least 1 character"


def test_a_missing_field_is_named() -> None:
    """The error lists all missing fields."""
    error = refusal({"service_version": "1.2.3"})

    assert str(error) == "field 'component_name': Field required; field 'name': Field required"


@pytest.mark.parametrize(
    ("field", "content"),
    [
        ("name", 3),
        ("name", ["flask"]),
        ("debug", 1),
        ("debug", "true"),
        ("count", "2"),
        ("count", 2.0),
        ("count", True),
        ("count", 10**30),
        ("tags", "web"),
        ("tags", {"web": 1}),
        ("extras", []),
        ("limits", 7),
        ("password", 1234),
        ("version", 2),
        ("component_name", None),
    ],
)
def test_nothing_is_coerced(field: str, content: object) -> None:
    """A value of another type than declared is refused, even if it could be converted."""
    error = refusal({**ALL_FIELDS, field: content})

    assert isinstance(error, MalformedMessageError)
    assert error.field == field


def test_the_path_of_an_error_inside_a_field_is_named() -> None:
    """The path has the index in a list, or the name in an object."""
    assert refusal({**ALL_FIELDS, "tags": ["web", 3]}).args == ("field 'tags.1': Input should be a valid string",)
    assert refusal({**ALL_FIELDS, "limits": {"memory": "7"}}).args == (
        "field 'limits.memory': Input should be a valid integer",
    )


def test_an_error_about_many_wrong_items_stays_short() -> None:
    """It has to fit into a log line and a header."""
    text = str(refusal({**ALL_FIELDS, "tags": list(range(90_000))}))

    assert text == "field 'tags.0': Input should be a valid string"


def test_an_error_about_many_wrong_fields_stays_short() -> None:
    """It has to fit into a log line and a header."""
    text = str(refusal(dict.fromkeys(ALL_FIELDS, 1.5) | {"version": "v1"}))

    assert text.endswith("field 'count': Input should be a valid integer; and 4 more")


def test_an_unknown_version_is_an_error_of_its_own() -> None:
    """The metric about missing handlers needs the version."""
    error = refusal({**ALL_FIELDS, "version": "v3", "name": 3})

    assert isinstance(error, UnknownVersionError)
    assert (error.version, str(error)) == ("v3", "no handler for version 'v3' of test.sample")


def test_the_older_name_of_a_field_is_understood() -> None:
    """If both names are set, the current one wins."""
    older = {**{key: content for key, content in REQUIRED_FIELDS.items() if key != "name"}, "label": "django"}

    assert read(older).name == "django"
    assert read({**older, "name": None}).name == "django"
    assert read({**older, "name": "flask"}).name == "flask"


def test_fields_of_a_record_are_returned_with_type_and_requirement() -> None:
    """The reference pages are generated from them."""
    fields = fields_of(Sample)

    assert [name for name, (_, required) in fields.items() if required] == ["component_name", "service_version", "name"]
    assert fields["count"] == (int | None, False)


def test_own_fields_exclude_the_common_and_the_named_fields() -> None:
    """Handlers pass them on to workflows."""
    assert list(read(ALL_FIELDS).own_fields(without=["tags", "limits", "extras", "password"])) == [
        "name",
        "debug",
        "count",
    ]
