# SPDX-License-Identifier: GPL-3.0-or-later
"""The base class of records, and the parsing of Kafka values into records.

Producers send JSON objects. A value is accepted only if every field has exactly the type that its record declares.
Nothing is coerced: a wrong producer is noticed at once, and never schedules workflows for a package called ``"3"``.
"""

import json
from collections.abc import Iterable, Mapping
from functools import cache
from typing import Annotated, Any, ClassVar, NamedTuple, NoReturn, TypeVar, cast

import faust
from pydantic import ConfigDict, Field, SecretStr, TypeAdapter, ValidationError, with_config
from typing_extensions import NotRequired, Required, TypedDict

from investigator.delivery.errors import PermanentError
from investigator.kafka.internals import record_options

__all__ = [
    "MalformedMessageError",
    "Message",
    "SecretStr",
    "Text",
    "UnknownVersionError",
    "fields_of",
    "parse",
]

# Integers of 64 bits have at most 19 digits. No count, limit or id of a producer is longer.
_MAX_INTEGER_DIGITS = 19

# A list may have a million wrong items; the error has to fit into a log line and a header.
_MAX_PROBLEMS = 5

#: A text that is not empty. The cluster refuses a template whose required parameter is empty.
Text = Annotated[str, Field(min_length=1)]


class MalformedMessageError(PermanentError):
    """The value of a message does not fit its record.

    Attributes:
        field: the path of the first wrong field, None if the error is about no single field.
    """

    def __init__(self, message: str, *, field: str | None = None) -> None:
        super().__init__(message)
        self.field = field


class UnknownVersionError(PermanentError):
    """No handler knows the version of a message."""

    def __init__(self, base_name: str, version: str) -> None:
        super().__init__(f"no handler for version {version!r} of {base_name}")
        self.version = version


class Message(faust.Record, abstract=True, serializer="json"):
    """The base class of records, with the fields that every message of Thoth has."""

    component_name: str
    service_version: str
    version: str = "v1"

    #: The current name of each older field name.
    aliases: ClassVar[Mapping[str, str]] = {}

    def own_fields(self, *, without: Iterable[str] = ()) -> dict[str, Any]:
        """Return the message's own fields by name: neither those that every message has, nor those in `without`."""
        excluded = {*Message.__annotations__, *without}
        return {name: getattr(self, name) for name in fields_of(type(self)) if name not in excluded}


M = TypeVar("M", bound=Message)


def fields_of(record: type[Message]) -> dict[str, tuple[Any, bool]]:
    """Return the type of each field of the record, and whether the field is required."""
    options = record_options(record)
    return {name: (kind, name not in options.defaults) for name, kind in options.fields.items()}


def parse(record: type[M], base_name: str, versions: tuple[str, ...], value: bytes | None) -> M:
    """Parse the value of a Kafka message into a record.

    Null in a field with a default counts as absent. Unknown fields are ignored. An absent version is ``v1``.

    Args:
        record: the class of the record.
        base_name: the type of the message, for errors.
        versions: the versions that the handlers know.
        value: the value, None for a tombstone.

    Raises:
        MalformedMessageError: the value does not fit the record.
        UnknownVersionError: no handler knows the version.
    """
    content = _apply_aliases(_json_object(value), record.aliases)
    version = "v1" if content.get("version") is None else content["version"]
    if isinstance(version, str) and version not in versions:
        raise UnknownVersionError(base_name, version)
    return record(**_validate(record, content))


def _json_object(value: bytes | None) -> dict[str, Any]:
    if value is None:
        raise MalformedMessageError("the message has no value (a tombstone)")
    try:
        content = _DECODER.decode(value.decode("utf-8"))
    except UnicodeDecodeError as error:
        # The original error holds the whole value, which may contain a password, so it must not be chained.
        raise MalformedMessageError(f"the value is not UTF-8: {error.reason} at byte {error.start}") from None
    except json.JSONDecodeError as error:
        raise MalformedMessageError(f"the value is not JSON: {error.msg} at character {error.pos}") from error
    except RecursionError as error:
        raise MalformedMessageError("the value is nested too deeply") from error
    if not isinstance(content, dict):
        raise MalformedMessageError(f"the value is not a JSON object but {_json_type(content)}")
    return content


def _unique_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    content = dict(pairs)
    if len(content) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise MalformedMessageError(f"the field {twice!r} occurs twice in one object", field=twice)
    return content


def _refuse_constant(name: str) -> NoReturn:
    raise MalformedMessageError(f"the value holds {name}, which is not JSON")


def _bounded_integer(digits: str) -> int | float:
    # A field of type int refuses the float, with an error that names the field. Inside an object, where any number is
    # allowed, it is passed on with the precision of a float.
    return int(digits) if len(digits) <= _MAX_INTEGER_DIGITS + digits.startswith("-") else float(digits)


# Module constants, as building them takes longer than parsing a message.
_DECODER = json.JSONDecoder(object_pairs_hook=_unique_keys, parse_constant=_refuse_constant, parse_int=_bounded_integer)
_ENCODER = json.JSONEncoder(ensure_ascii=False, allow_nan=False)


def _json_type(content: object) -> str:
    names = {list: "an array", str: "a string", bool: "a boolean", type(None): "null"}
    return names.get(type(content), "a number")


def _apply_aliases(content: dict[str, Any], aliases: Mapping[str, str]) -> dict[str, Any]:
    for old, new in aliases.items():
        if content.get(new) is None and old in content:
            content[new] = content[old]
    return content


def _validate(record: type[Message], content: dict[str, Any]) -> dict[str, Any]:
    fields = _validator(record)  # type: ignore[arg-type]  # a class is hashable, whatever its instances are
    given = {
        name: content[name]
        for name, required in fields.required.items()
        if name in content and (required or content[name] is not None)
    }
    try:
        validated = fields.validator.validate_python(given)
    except ValidationError as error:
        raise _malformed(error) from None
    _reject_unencodable(given)
    return validated


def _malformed(error: ValidationError) -> MalformedMessageError:
    # Path and rule only: the value may be a password.
    problems = [
        (".".join(str(part) for part in problem["loc"]), problem["msg"])
        for problem in error.errors(include_url=False, include_input=False, include_context=False)
    ]
    shown = "; ".join(f"field {name!r}: {rule}" for name, rule in problems[:_MAX_PROBLEMS])
    hidden = len(problems) - _MAX_PROBLEMS
    return MalformedMessageError(shown + (f"; and {hidden} more" if hidden > 0 else ""), field=problems[0][0])


def _reject_unencodable(given: dict[str, Any]) -> None:
    # JSON can express half of a surrogate pair, and a number larger than every float. Neither a database nor the
    # parameters of a workflow can hold them.
    for name, content in given.items():
        try:
            _ENCODER.encode(content).encode()
        except UnicodeEncodeError:
            raise MalformedMessageError(f"field {name!r}: holds half of a surrogate pair", field=name) from None
        except ValueError:
            raise MalformedMessageError(f"field {name!r}: holds a number that is out of range", field=name) from None
        except RecursionError:
            raise MalformedMessageError(f"field {name!r}: is nested too deeply", field=name) from None


class _Validator(NamedTuple):
    required: dict[str, bool]  # by field name
    validator: TypeAdapter[dict[str, Any]]


@cache
def _validator(record: type[Any]) -> _Validator:
    fields = {
        name: Required[kind] if required else NotRequired[kind] for name, (kind, required) in fields_of(record).items()
    }
    typed_dict = TypedDict(record.__name__, fields)  # type: ignore[misc]  # its fields are known only at run time
    strictly = with_config(ConfigDict(strict=True, extra="ignore", hide_input_in_errors=True))
    validator = cast("TypeAdapter[dict[str, Any]]", TypeAdapter(strictly(typed_dict)))
    return _Validator({name: required for name, (_, required) in fields_of(record).items()}, validator)
